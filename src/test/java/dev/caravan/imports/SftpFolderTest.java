package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caravan.testing.OpenSshServer;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestCaravan.Job;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What lies in the folders of a real OpenSSH besides plain files. */
class SftpFolderTest {

  @TempDir Path folder;

  private int id;

  private Path put(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    return Files.writeString(file, "id,name\n%02d,x\n".formatted(++id));
  }

  private static void link(Path link, String target) throws IOException {
    Files.createSymbolicLink(link, Path.of(target));
  }

  private static void pipe(Path file) throws Exception {
    assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();
  }

  /** A folder with one of each kind; returns the names of those that are loaded in any case. */
  private Set<String> fill(Path export) throws Exception {
    Files.setLastModifiedTime(
        put(export.resolve("1960.csv")), FileTime.from(Instant.parse("1960-01-01T00:00:00Z")));
    Files.setLastModifiedTime(put(export.resolve("1970.csv")), FileTime.from(Instant.EPOCH));
    Files.setLastModifiedTime(
        put(export.resolve("2050.csv")), FileTime.from(Instant.parse("2050-01-01T00:00:00Z")));
    put(export.resolve("-rf.csv"));
    put(export.resolve("${env:HOME}.csv"));
    put(export.resolve("line\nbreak.csv"));
    put(export.resolve("sub/below.csv"));
    put(export.resolve("sub/further.csv"));
    link(export.resolve("latest.csv"), "sub/below.csv");
    link(export.resolve("chain.csv"), "sub/next");
    link(export.resolve("sub/next"), export.resolve("sub/further.csv").toString());
    put(export.resolveSibling("beside/secret.csv"));
    link(export.resolve("outside.csv"), "../beside/secret.csv");
    link(export.resolve("away"), "../beside");
    link(export.resolve("roundabout.csv"), "away/secret.csv");
    link(export.resolve("broken.csv"), "/nope");
    link(export.resolve("circle.csv"), "circle.csv");
    link(export.resolve("folder.csv"), "sub");
    link(export.resolve("null.csv"), "/dev/null");
    pipe(export.resolve("pipe.csv"));
    link(export.resolve("pipe2.csv"), "pipe.csv");
    return new TreeSet<>(
        Set.of(
            "-rf.csv",
            "${env:HOME}.csv",
            "1960.csv",
            "1970.csv",
            "2050.csv",
            "latest.csv",
            "chain.csv"));
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  @Test
  void linksAreFollowedWhereTheyMayLeadAndWhatIsNoFileIsNeverOpened() throws Exception {
    assumeTrue(OpenSshServer.isInstalled(), "needs OpenSSH's sshd");
    Path inside = folder.resolve("i/in");
    Path anywhere = folder.resolve("a/in");
    final Set<String> expected = fill(inside);
    final Set<String> more = fill(anywhere);
    more.addAll(Set.of("outside.csv", "roundabout.csv"));
    link(folder.resolve("current"), "i/in");
    try (OpenSshServer server = OpenSshServer.start(folder);
        ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      socket.bind(UnixDomainSocketAddress.of(inside.resolve("socket.csv")));
      Path key = server.authorizedKey("ed25519", "");
      Map<String, String> all = server.login(key, anywhere);
      all.put("links", "anywhere");
      try (TestCaravan caravan =
          TestCaravan.start(
              TestDatabase.create(),
              folder,
              TestCaravan.project("i", "i", server.login(key, folder.resolve("current"))),
              TestCaravan.project("a", "a", all))) {
        await()
            .atMost(Duration.ofSeconds(40))
            .untilAsserted(
                () -> {
                  assertThat(moved(caravan, "i")).isEqualTo(expected);
                  assertThat(moved(caravan, "a")).isEqualTo(more);
                });
        assertThat(caravan.jobs()).hasSize(expected.size() + more.size());
        assertThat(caravan.rows("i")).isEqualTo(7);
        assertThat(caravan.rows("a")).isEqualTo(8); // two of the links lead to one file
      }
    }
    assertThat(names(inside.resolve(".done")))
        .containsExactlyInAnyOrder(
            "-rf.csv", "${env:HOME}.csv", "1960.csv", "1970.csv", "2050.csv");
    assertThat(names(inside.resolve("sub"))).containsExactly("below.csv", "further.csv", "next");
    assertThat(names(inside)).contains("outside.csv", "roundabout.csv", "broken.csv", "pipe.csv");
    assertThat(anywhere.resolve("outside.csv").toFile().exists()).isFalse();
    assertThat(Files.exists(anywhere.resolve("outside.csv"), LinkOption.NOFOLLOW_LINKS)).isFalse();
    assertThat(names(anywhere.resolveSibling("beside"))).containsExactly("secret.csv");
  }

  private static Set<String> moved(TestCaravan caravan, String project) {
    List<Job> jobs = caravan.jobs(job -> job.project().equals(project) && job.moved());
    assertThat(jobs).extracting(Job::state).containsOnly("completed");
    return new TreeSet<>(jobs.stream().map(Job::file).toList());
  }
}
