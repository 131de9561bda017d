package dev.caravan.imports;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestCaravan.Job;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same content, packed content, and names that somebody else made up. */
class SftpContentTest {

  private static final String ONE = "id,name\n1,one\n";

  @TempDir Path folder;

  private UnrulySftpServer server;
  private TestCaravan caravan;

  @BeforeEach
  void startServer() throws Exception {
    server = UnrulySftpServer.start(folder.resolve("mina"));
  }

  @AfterEach
  void stop() throws Exception {
    if (caravan != null) {
      caravan.close();
    }
    server.close();
  }

  private void startCaravan(String project) throws Exception {
    caravan = TestCaravan.start(TestDatabase.create(), folder, project);
  }

  private void startCaravan() throws Exception {
    startCaravan(TestCaravan.project("p", "t", server.login()));
  }

  @Test
  void theSameContentIsLoadedOnceUnderWhateverName() throws Exception {
    startCaravan();
    server.put("a.csv", ONE);
    Job first = caravan.awaitEnd("a.csv");
    assertThat(first.status()).isEqualTo("loaded");
    server.put("renamed.csv", ONE);
    server.put("packed.csv.gz", gzip(ONE.getBytes(UTF_8), 1));
    caravan.awaitMoved("a.csv");
    server.put("a.csv", ONE);
    for (Job again :
        List.of(
            caravan.awaitEnd("renamed.csv"),
            caravan.awaitEnd("packed.csv.gz"),
            caravan.awaitEnd("a.csv", 2))) {
      assertThat(again.state()).isEqualTo("completed");
      assertThat(again.status()).isEqualTo("same_content");
      assertThat(again.sameAs()).isEqualTo(first.id());
    }
    caravan.awaitMoved("a.csv");
    server.put("a.csv", ONE + "2,two\n");
    assertThat(caravan.awaitEnd("a.csv", 3).status()).isEqualTo("loaded");
    assertThat(caravan.ids("t")).containsExactly("1", "2");
  }

  @Test
  void unpacksGzipAndRefusesWhatIsDamagedABombOrAnotherArchive() throws Exception {
    byte[] good = gzip("id,name\n7,seven\n".getBytes(UTF_8), 1);
    byte[] flipped = good.clone();
    flipped[flipped.length - 6] ^= 1; // in the checksum
    server.put("good.csv.gz", good);
    server.put("flipped.csv.gz", flipped);
    server.put("short.csv.gz", Arrays.copyOf(good, good.length - 4));
    server.put("zip.csv", zip("../x.csv"));
    server.put("one.zip.csv", zip("export/one.csv"));
    server.put("two.zip.csv", zip("one.csv", "two.csv"));
    server.put(
        "bomb.csv.gz",
        gzip("1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(1000).getBytes(UTF_8), 2000));
    startCaravan();
    assertThat(caravan.awaitEnd("good.csv.gz").state()).isEqualTo("completed");
    assertThat(caravan.awaitEnd("flipped.csv.gz").code()).isEqualTo("ARCHIVE");
    assertThat(caravan.awaitEnd("short.csv.gz").code()).isEqualTo("ARCHIVE");
    assertThat(caravan.awaitEnd("zip.csv").code()).isEqualTo("ARCHIVE");
    assertThat(caravan.awaitEnd("one.zip.csv").state()).isEqualTo("completed");
    assertThat(caravan.awaitEnd("two.zip.csv").code()).isEqualTo("ARCHIVE");
    assertThat(caravan.awaitEnd("bomb.csv.gz").code()).isEqualTo("DECOMPRESS_LIMIT");
    assertThat(caravan.ids("t")).containsExactly("1", "7");
  }

  @Test
  void readsEveryMemberOfAGzipFile() throws Exception {
    StringBuilder first = new StringBuilder("id,name\n");
    for (int i = 1; i <= 3_000; i++) {
      first.append(i).append(",x\n");
    }
    byte[] second = gzip("3001,x\n".getBytes(UTF_8), 1);
    byte[] both = join(gzip(first.toString().getBytes(UTF_8), 1), second);
    server.put("both.csv.gz", both);
    server.put("cut.csv.gz", Arrays.copyOf(both, both.length - 9));
    server.put("junk.csv.gz", join(both, new byte[] {'x'}));
    startCaravan();
    assertThat(caravan.awaitEnd("both.csv.gz").state()).isEqualTo("completed");
    assertThat(caravan.awaitEnd("cut.csv.gz").code()).isEqualTo("ARCHIVE");
    assertThat(caravan.awaitEnd("junk.csv.gz").code()).isEqualTo("ARCHIVE");
    assertThat(caravan.rows("t")).isEqualTo(3_001);
  }

  private static byte[] join(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static byte[] gzip(byte[] content, int times) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      if (times > 1) {
        out.write("id,name\n".getBytes(UTF_8));
      }
      for (int i = 0; i < times; i++) {
        out.write(content);
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] zip(String... names) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      for (String name : names) {
        out.putNextEntry(new ZipEntry(name));
        out.write(ONE.getBytes(UTF_8));
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void namesAreDataAndNothingElse() throws Exception {
    List<String> harmless =
        List.of(
            "-rf.csv",
            "$(id).csv",
            "${file:name}.csv",
            "${file:name.noext}.csv",
            "${bean:type:java.lang.System.exit}.csv",
            "${env.PATH}.csv",
            "$simple{body}.csv",
            "#{1+1}.csv",
            "{{x}}.csv",
            "{{env:PATH}}.csv",
            "CamelFileName: x.csv",
            "x&noop=true.csv",
            "%2e%2e%2fx.csv",
            "a b;c.csv");
    for (int i = 0; i < harmless.size(); i++) {
      server.put(harmless.get(i), "id,name\n%02d,x\n".formatted(i));
    }
    server.put("line\nbreak.csv", ONE);
    server.put("*.csv", ONE);
    server.put("long.csv", ONE);
    server.alias("long.csv", ("x".repeat(300) + ".csv").getBytes(UTF_8));
    server.put("up.csv", ONE);
    server.alias("up.csv", "../up.csv".getBytes(UTF_8));
    server.put("bytes.csv", ONE);
    server.alias("bytes.csv", new byte[] {(byte) 0xC3, (byte) 0x28, '.', 'c', 's', 'v'});
    startCaravan();
    for (String name : harmless) {
      assertThat(caravan.awaitEnd(name).state()).as(name).isEqualTo("completed");
      caravan.awaitMoved(name);
      assertThat(server.file(".done/" + name)).exists();
    }
    server.put("good.csv", "id,name\ngood,x\n");
    caravan.awaitEnd("good.csv");
    assertThat(caravan.ids("t")).hasSize(harmless.size() + 1).contains("00", "13", "good");
    Set<String> files = caravan.jobs().stream().map(Job::file).collect(Collectors.toSet());
    assertThat(files).hasSize(harmless.size() + 1).contains("good.csv").containsAll(harmless);
  }

  @Test
  void aNameThatGivesNoTableFailsAloneAndTheOthersAreLoaded() throws Exception {
    server.put("-rf.csv", ONE);
    server.put("good.csv", ONE);
    String tables = "tables:\n  - {file_pattern: \"*.csv\", target_table: t, primary_key: id}\n";
    String discovery = "defaults: {file_pattern: \"*.csv\", primary_key: id}\n";
    startCaravan(TestCaravan.project("p", "t", server.login()).replace(tables, discovery));
    assertThat(caravan.awaitEnd("good.csv").state()).isEqualTo("completed");
    Job job = caravan.awaitEnd("-rf.csv");
    assertThat(job.code()).isEqualTo("BAD_NAME");
    assertThat(job.message()).contains("-rf");
    assertThat(caravan.rows("good")).isEqualTo(1);
  }

  @Test
  void findsItsFileAmongTwentyThousand() throws Exception {
    for (int i = 0; i < 20_000; i++) {
      Files.createFile(server.file("other-" + i + ".txt"));
    }
    server.put("good.csv", ONE);
    startCaravan();
    assertThat(caravan.awaitEnd("good.csv").state()).isEqualTo("completed");
    assertThat(caravan.jobs()).hasSize(1);
  }
}
