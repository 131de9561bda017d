package dev.caravan.project;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.caravan.project.SftpConfig.AfterLoad;
import dev.caravan.project.SftpConfig.Download;
import dev.caravan.project.SftpConfig.Links;
import dev.caravan.project.TableOptions.OnError;
import dev.caravan.record.csv.CsvFormat;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProjectConfigReaderTest {

  private static final String HOST_KEY =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";

  @Test
  void readsTheExampleOfTheContract() {
    ProjectConfig config = ProjectTexts.read(ProjectTexts.CONTRACT);

    assertThat(config.project()).isEqualTo("customer_abc");
    assertThat(config.connection()).isEqualTo("warehouse");
    assertThat(config.sftp().server())
        .hasValue(
            new SftpServer(
                "sftp.abc.example",
                22,
                "export",
                Optional.of("not-so-secret"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of()));
    assertThat(config.sftp().remotePath()).isEqualTo("/export");
    assertThat(config.tableNaming()).isEqualTo(new TableNaming("IxExp", "", true));
    assertThat(config.tables())
        .extracting(rule -> rule.filePattern().toString())
        .containsExactly("customers_*.csv", "*.csv");
    TableOptions customers = config.tables().get(0).options();
    assertThat(customers.keyColumns()).containsExactly("id", "year");
    assertThat(customers.columnMapping()).containsExactly(entry("Old", "new"));
    assertThat(customers.csv().delimiter()).isEqualTo('|');
    TableOptions others = config.tables().get(1).options();
    assertThat(others.keyColumns()).containsExactly("id");
    assertThat(others.csv().delimiter()).isEqualTo(';');
    assertThat(others.csv().charset()).isEqualTo(ISO_8859_1);
    assertThat(others.csv().skipLines()).isEqualTo(1);
  }

  @Test
  void fillsInWhatAMinimalProjectLeavesOut() {
    assertThat(ProjectTexts.read(ProjectTexts.MINIMAL))
        .isEqualTo(
            new ProjectConfig(
                "abc",
                "warehouse",
                new SftpConfig(
                    Optional.empty(),
                    "/",
                    AfterLoad.MOVE,
                    ".done",
                    Duration.ofSeconds(5),
                    Optional.empty(),
                    Duration.ofSeconds(30),
                    Links.INSIDE,
                    false,
                    Download.STREAM),
                new ScheduleConfig(Optional.empty(), ZoneId.of("UTC"), true),
                new TableNaming("", "", true),
                List.of(
                    new TableRule(
                        new FileGlob("*.csv"),
                        "public",
                        Optional.empty(),
                        new TableOptions(
                            List.of("id"),
                            Map.of(),
                            Map.of(),
                            TableOptions.Mode.UPSERT,
                            Optional.empty(),
                            TableOptions.MissingRows.KEEP,
                            CsvFormat.DEFAULT,
                            OnError.REJECT,
                            OptionalLong.empty(),
                            OptionalDouble.empty(),
                            TableOptions.OnDrift.FREEZE,
                            false,
                            new TableOptions.Formats(
                                Optional.empty(),
                                Optional.empty(),
                                '.',
                                Optional.empty(),
                                List.of("true", "t", "TRUE", "True"),
                                List.of("false", "f", "FALSE", "False")),
                            false,
                            true)))));
  }

  @Test
  void readsEveryKeyOfTheSftpSection() {
    SftpConfig sftp =
        ProjectTexts.read(
                ProjectTexts.MINIMAL
                    + """
                    sftp:
                      host: 10.0.0.7
                      port: 2222
                      username: export
                      key_path: keys/abc_ed25519
                      key_passphrase: open sesame
                      host_key: ["%s root@abc"]
                      remote_path: out/today
                      after_load: keep
                      poll_seconds: 90
                      done_marker: "{name}.ok"
                      stable_seconds: 7
                      links: anywhere
                      download: temp_file
                    """
                        .formatted(HOST_KEY))
            .sftp();

    assertThat(sftp)
        .isEqualTo(
            new SftpConfig(
                Optional.of(
                    new SftpServer(
                        "10.0.0.7",
                        2222,
                        "export",
                        Optional.empty(),
                        Optional.of(Path.of("keys/abc_ed25519")),
                        Optional.of("open sesame"),
                        Optional.empty(),
                        List.of(HOST_KEY))),
                "out/today",
                AfterLoad.KEEP,
                ".done",
                Duration.ofSeconds(90),
                Optional.of(new DoneMarker("", ".ok")),
                Duration.ofSeconds(7),
                Links.ANYWHERE,
                false,
                Download.TEMP_FILE));
  }

  @ParameterizedTest
  @CsvSource({
    "{}, 30",
    "{done_marker: '{name}.ok'}, 0",
    "{stable_seconds: 0}, 0",
    "'{done_marker: \"{name}.ok\", stable_seconds: 12}', 12"
  })
  void waitsForFilesToSettleUnlessAMarkerSaysThatTheyAreWhole(String sftp, int seconds) {
    assertThat(ProjectTexts.read(ProjectTexts.MINIMAL + "sftp: " + sftp + "\n").sftp().stable())
        .isEqualTo(Duration.ofSeconds(seconds));
  }

  @Test
  void readsTheSameFromJson() {
    String json =
        """
        {
        \t"project": "abc", "connection": "warehouse",
        \t"defaults": {"file_pattern": "*.csv", "primary_key": "id"}
        }
        """;

    assertThat(ProjectTexts.read(json)).isEqualTo(ProjectTexts.read(ProjectTexts.MINIMAL));
  }

  @Test
  void letsAnEntryTakeFromTheDefaultsWhatItLeavesOut() {
    TableOptions options =
        ProjectTexts.read(
                """
                project: abc
                connection: warehouse
                defaults: {primary_key: id, delimiter: ";", max_errors: 7, trailer: TRL, null_values: [N/A]}
                tables: [{file_pattern: a.csv, skiprows: 2}]
                """)
            .tables()
            .get(0)
            .options();

    assertThat(options.keyColumns()).containsExactly("id");
    assertThat(options.csv().delimiter()).isEqualTo(';');
    assertThat(options.maxErrors()).hasValue(7);
    assertThat(options.csv().trailer()).hasValue("TRL");
    assertThat(options.csv().nullWords()).containsExactly("N/A");
    assertThat(options.csv().skipLines()).isEqualTo(2);
  }

  @Test
  void letsAnEntryTakeBackWhatTheDefaultsSay() {
    TableOptions options =
        ProjectTexts.read(
                """
                project: abc
                connection: warehouse
                defaults: {primary_key: id, max_errors: 7, max_error_ratio: 0.5, trailer: TRL, null_values: [N/A]}
                tables:
                  - {file_pattern: a.csv, rebuild_table: true, primary_key: null, max_errors: null,
                     max_error_ratio: ~, trailer: null, null_values: []}
                """)
            .tables()
            .get(0)
            .options();

    assertThat(options.keyColumns()).isEmpty();
    assertThat(options.maxErrors()).isEmpty();
    assertThat(options.maxErrorRatio()).isEmpty();
    assertThat(options.csv().trailer()).isEmpty();
    assertThat(options.csv().nullWords()).isEmpty();
  }

  @Test
  void keepsTheOrderOfTheColumnMapping() {
    ProjectConfig config =
        ProjectTexts.read(
            """
            project: abc
            connection: warehouse
            tables: [{file_pattern: a.csv, primary_key: z, column_mapping: {Z: z, A: a, M: m}}]
            """);

    assertThat(config.tables().get(0).options().columnMapping())
        .containsExactly(entry("Z", "z"), entry("A", "a"), entry("M", "m"));
  }

  @Test
  void takesBooleanLikeWordsForNamesOfColumns() {
    ProjectConfig config =
        ProjectTexts.read(ProjectTexts.MINIMAL.replace("primary_key: id", "primary_key: [no, on]"));

    assertThat(config.tables().get(0).options().keyColumns()).containsExactly("no", "on");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "';' ;",
        "'|' |",
        "'\\t' \t",
        "\"\\t\" \t",
        "tab \t",
        "\"\\x01\" \u0001",
        "'~' ~",
        "'^' ^"
      },
      ignoreLeadingAndTrailingWhitespace = false,
      quoteCharacter = '`')
  void readsADelimiter(String written, char delimiter) {
    String text = ProjectTexts.MINIMAL.replace("id}", "id, delimiter: " + written + "}");

    assertThat(ProjectTexts.read(text).tables().get(0).options().csv().delimiter())
        .isEqualTo(delimiter);
  }

  @ParameterizedTest
  @CsvSource({
    "utf-8, UTF-8", "utf8, UTF-8", "UTF_8, UTF-8",
    "latin-1, ISO-8859-1", "latin1, ISO-8859-1", "iso-8859-15, ISO-8859-15",
    "cp1252, windows-1252", "utf-16, UTF-16", "ascii, US-ASCII"
  })
  void knowsEncodingsByTheNamesOfJavaAndPython(String written, String charset) {
    String text = ProjectTexts.MINIMAL.replace("id}", "id, encoding: " + written + "}");

    assertThat(ProjectTexts.read(text).tables().get(0).options().csv().charset())
        .isEqualTo(Charset.forName(charset));
  }

  @Test
  void readsAFileWithAByteOrderMark(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("abc.yaml"), "\uFEFF" + ProjectTexts.MINIMAL);

    assertThat(new ProjectConfigReader(Map.of()).read(file))
        .isEqualTo(ProjectTexts.read(ProjectTexts.MINIMAL));
  }
}
