package dev.caravan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ProjectConfigReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that need no server. */
class ProjectFileCommandsTest {

  @TempDir Path folder;

  private static Typed typed(String... args) {
    return Typed.command(Map.of(), args);
  }

  private String file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  private static ProjectConfig read(Path file) {
    return new ProjectConfigReader(Map.of("ABC_SFTP_PASSWORD", "x")).read(file);
  }

  @Test
  void allThatIsWrongIsNamedWithItsLine() throws IOException {
    String bad =
        file(
            "bad.yaml",
            """
            project: abc
            connection: warehouse

            defaults: {primary_key: id, encoding: latin-99}
            tables:
              - file_pattern: a.csv
                delimeter: ";"
              - target_table: t
            """);
    String good =
        file(
            "good.yaml",
            "project: ok\nconnection: w\ndefaults: {file_pattern: '*', primary_key: id}");
    Typed both = typed("validate", good, bad);
    assertThat(both.exitCode()).isEqualTo(1);
    assertThat(both.out()).isEqualTo(good + ": project ok is valid\n");
    assertThat(both.err().lines())
        .hasSize(3)
        .anyMatch(l -> l.startsWith(bad + ":4: defaults.encoding: found \"latin-99\"; allowed: "))
        .anyMatch(l -> l.startsWith(bad + ":7: tables[0].delimeter: unknown key (did you mean "))
        .anyMatch(l -> l.startsWith(bad + ":8: tables[1].file_pattern: "));
    assertThat(typed("validate", good).exitCode()).isZero();
  }

  @Test
  void aFileThatIsNoneOrNoYamlIsInvalidAndNoUsageIsAnError() throws IOException {
    Typed none = typed("validate", folder.resolve("none.yaml").toString());
    assertThat(none.exitCode()).isEqualTo(1);
    assertThat(none.err()).contains("none.yaml:1: there is no such file");
    Typed noYaml = typed("validate", file("broken.yaml", "project: a\n\tb: c\n"));
    assertThat(noYaml.exitCode()).isEqualTo(1);
    assertThat(noYaml.err()).contains("not valid YAML near line 2");
    assertThat(typed("validate").exitCode()).isEqualTo(2);
    assertThat(typed("validate", "--jsn", "x").err()).contains("Unknown option: '--jsn'");
    assertThat(typed("importt").exitCode()).isEqualTo(2);
    assertThat(typed("jobs", "no-uuid").exitCode()).isEqualTo(2);
    assertThat(typed("jobs", "--url", "ftp://host").exitCode()).isEqualTo(2);
    assertThat(typed("jobs", "--cancel").exitCode()).isEqualTo(2);
    assertThat(typed("jobs", "--version").out()).startsWith("Caravan ");
    Typed turned =
        typed(
            "backfill", "p", "--from", "2026-02-01", "--to", "2026-01-01", "--files", "{yyyyMMdd}");
    assertThat(turned.exitCode()).isEqualTo(2);
    assertThat(turned.err()).contains("--from: allowed are days up to --to");
  }

  @Test
  void aNewProjectIsValidAndKnowsItsSample() throws IOException {
    Path sample = folder.resolve("kunden.csv");
    Files.write(sample, "Nr;ID;Straße\n1;2;Größe\n".getBytes(StandardCharsets.ISO_8859_1));
    Path project = folder.resolve("kunden.yaml");
    Typed made =
        typed("init", "kunden", "--output", project.toString(), "--sample", sample.toString());
    assertThat(made.exitCode()).as(made.err()).isZero();
    assertThat(project).content().contains("# Columns of kunden.csv: Nr, ID, Straße");
    assertThat(typed("validate", project.toString()).exitCode()).isZero();
    ProjectConfig read = read(project);
    assertThat(read.plan("kunden.csv"))
        .hasValueSatisfying(
            plan -> {
              assertThat(plan.table()).isEqualTo("kunden");
              assertThat(plan.options().keyColumns()).containsExactly("ID");
              assertThat(plan.options().csv().delimiter()).isEqualTo(';');
              assertThat(plan.options().csv().charset()).isEqualTo(StandardCharsets.ISO_8859_1);
            });
    String before = Files.readString(project);
    Typed again = typed("init", "other", "--output", project.toString());
    assertThat(again.exitCode()).isEqualTo(1);
    assertThat(again.err()).contains("it is not overwritten");
    assertThat(project).hasContent(before);
  }

  @Test
  void asksWhatNoOptionSays() {
    Path project = folder.resolve("abc.yaml");
    Typed made =
        Typed.answered(
            Map.of(),
            "sftp.example.com\nreports\nexporter\n\nnumber\n",
            "init",
            "abc",
            "--output",
            project.toString());
    assertThat(made.exitCode()).as(made.err()).isZero();
    assertThat(made.err()).contains("Folder on the server [/export]: ");
    ProjectConfig read = read(project);
    assertThat(read.connection()).isEqualTo("reports");
    assertThat(read.sftp().server())
        .hasValueSatisfying(
            server -> {
              assertThat(server.host()).isEqualTo("sftp.example.com");
              assertThat(server.username()).isEqualTo("exporter");
            });
    assertThat(project).content().contains("${env:ABC_SFTP_PASSWORD}");
  }

  @Test
  void whatNoProjectMayHaveLeavesNoFile() {
    Path project = folder.resolve("x.yaml");
    Typed refused = typed("init", "x", "--output", project.toString(), "--connection", "db://host");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err()).contains("connection: found");
    assertThat(project).doesNotExist();
  }

  @Test
  void progressIsABarOnATerminalAndALineForEachStepElsewhere() throws IOException {
    String running =
        """
        {"status": "running", "progress": {"step": "copy", "percent": 50, "rows": 12345}}""";
    assertThat(shown(true, running, running))
        .startsWith("\r[############------------] 50 %, 12,345 rows, running copy")
        .endsWith("\r");
    assertThat(shown(false, "{\"status\": \"queued\"}", running, running))
        .isEqualTo("queued\n50 %, 12,345 rows, running copy\n");
  }

  private static String shown(boolean interactive, String... jobs) throws IOException {
    StringWriter err = new StringWriter();
    Progress progress =
        new Progress(new Terminal(null, new PrintWriter(err), null, interactive, Map.of()), false);
    for (String job : jobs) {
      progress.show(RestClient.JSON.readTree(job));
    }
    progress.end();
    return err.toString();
  }

  @Test
  void datesOfFilesHaveOnePlace() {
    assertThat(DatedFiles.of("a/s_{yyyyMMdd}.csv").of(java.time.LocalDate.of(2026, 1, 31)))
        .isEqualTo(Path.of("a/s_20260131.csv"));
    for (String bad : new String[] {"a.csv", "{yyyy}.csv", "{yyyy-MM-dd}{yyyy-MM-dd}", "{HH}"}) {
      Typed refused =
          typed("backfill", "p", "--from", "2026-01-01", "--to", "2026-01-02", "--files", bad);
      assertThat(refused.exitCode()).as(bad).isEqualTo(2);
      assertThat(refused.err()).contains("--files: found '" + bad + "'; allowed is");
    }
  }
}
