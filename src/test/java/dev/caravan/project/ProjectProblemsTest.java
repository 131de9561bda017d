package dev.caravan.project;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProjectProblemsTest {

  private static List<String> problemsOf(String text) {
    CaravanException failure =
        catchThrowableOfType(CaravanException.class, () -> ProjectTexts.read(text));
    assertThat(failure).as("a failure for %s", text).isNotNull();
    assertThat(failure.code()).isEqualTo(FailureCode.CONFIG_INVALID);
    return failure.getMessage().lines().toList();
  }

  /** In {@code defaults}, all else being right. */
  private static String withDefault(String keyAndValue) {
    return ProjectTexts.MINIMAL.replace("id}", "id, " + keyAndValue + "}");
  }

  private static String withSftp(String keysAndValues) {
    return ProjectTexts.MINIMAL + "sftp: {" + keysAndValues + "}\n";
  }

  private static String withTable(String keysAndValues) {
    return ProjectTexts.MINIMAL + "tables: [{" + keysAndValues + "}]\n";
  }

  private static final String LOGIN = "host: h, username: u, password: p, ";

  static Stream<Arguments> wrongProjects() {
    return Stream.of(
        Arguments.of(
            "an unknown key",
            withTable("file_pattern: a.csv, delimeter: ';'"),
            "tables[0].delimeter: unknown key (did you mean delimiter?); allowed keys: allow_empty, column_mapping, columns, date_format, db_schema, decimal_separator, delimiter, empty_files, encoding, false_values, file_pattern, infer_types, max_error_ratio, max_errors, missing_rows, mode, null_values, on_drift, on_error, plausibility, primary_key, range_column, range_from, range_to, rebuild_table, set_sequences, skiprows, target_table, thousands_separator, timestamp_format, trailer, true_values"),
        Arguments.of(
            "a key that is like no other",
            withSftp("color: red"),
            "sftp.color: unknown key; allowed keys: after_load, detect_changes, done_marker, download, host, host_key, key_passphrase, key_path, known_hosts, links, move_to, password, poll_seconds, port, remote_path, stable_seconds, username"),
        Arguments.of(
            "a key in another style",
            ProjectTexts.MINIMAL + "tableNaming: {}\n",
            "tableNaming: unknown key (did you mean table_naming?); allowed keys: connection, defaults, project, schedule, sftp, table_naming, tables"),
        Arguments.of(
            "a hostile key",
            ProjectTexts.MINIMAL + "\"a\\nb\\u202e\": 1\n",
            "[\"a\\u000ab\\u202e\"]: unknown key; allowed keys: connection, defaults, project, schedule, sftp, table_naming, tables"),
        Arguments.of(
            "a missing key",
            ProjectTexts.MINIMAL.replace("connection: warehouse\n", ""),
            "connection: missing; allowed: the name of a connection, not an address, at most 100 characters"),
        Arguments.of(
            "an entry without a pattern",
            withTable("target_table: t"),
            "tables[0].file_pattern: missing; allowed: a pattern for plain file names such as \"*.csv\": no folder, no { }, at most 255 characters"),
        Arguments.of(
            "a number for a text",
            ProjectTexts.MINIMAL.replace("project: abc", "project: 2024"),
            "project: found 2024; allowed: 1 to 63 ASCII letters, digits, _ or -, beginning with a letter or digit (put it into quotes)"),
        Arguments.of(
            "a text for a boolean",
            withDefault("rebuild_table: yes"),
            "defaults.rebuild_table: found \"yes\"; allowed: true or false"),
        Arguments.of(
            "a mapping for a text",
            ProjectTexts.MINIMAL.replace("warehouse", "{url: x}"),
            "connection: found a mapping; allowed: the name of a connection, not an address, at most 100 characters"),
        Arguments.of(
            "a section without content",
            ProjectTexts.MINIMAL + "sftp:\n",
            "sftp: found \"\"; allowed: a mapping"),
        Arguments.of(
            "a mapping for a list",
            ProjectTexts.MINIMAL + "tables: {file_pattern: a.csv}\n",
            "tables: found a mapping; allowed: a list, at most 10000 items"),
        Arguments.of(
            "an entry that is no mapping",
            ProjectTexts.MINIMAL + "tables: [a.csv]\n",
            "tables[0]: found \"a.csv\"; allowed: a mapping"),
        Arguments.of(
            "null for what must be there",
            withDefault("delimiter: null"),
            "defaults.delimiter: found nothing (null); allowed: one ASCII character other than a letter, a digit, a double quote, a backslash or a line end; or tab"),
        Arguments.of(
            "a port out of range",
            withSftp(LOGIN + "port: 70000"),
            "sftp.port: found 70000; allowed: a whole number from 1 to 65535"),
        Arguments.of(
            "a number that is not whole",
            withDefault("skiprows: 1.5"),
            "defaults.skiprows: found 1.5; allowed: a whole number from 0 to 1000000"),
        Arguments.of(
            "a number larger than a long",
            withDefault("max_errors: 99999999999999999999"),
            "defaults.max_errors: found 99999999999999999999; allowed: a whole number from 0 to 1000000000000, or null"),
        Arguments.of(
            "a ratio in percent",
            withDefault("max_error_ratio: 5"),
            "defaults.max_error_ratio: found 5; allowed: a number from 0 to 1, or null"),
        Arguments.of(
            "an infinite ratio",
            withDefault("max_error_ratio: 1e999"),
            "defaults.max_error_ratio: found Infinity; allowed: a number from 0 to 1, or null"),
        Arguments.of(
            "a word that is none of the choices",
            withSftp("after_load: delete"),
            "sftp.after_load: found \"delete\"; allowed: move or keep"),
        Arguments.of(
            "a number that is none of the choices",
            withDefault("on_error: 1"),
            "defaults.on_error: found 1; allowed: reject or fail"),
        Arguments.of(
            "an address for a connection",
            ProjectTexts.MINIMAL.replace("warehouse", "postgresql://app:hunter2@db/app"),
            "connection: found \"postgresql://…@db/app\"; allowed: the name of a connection, not an address, at most 100 characters"),
        Arguments.of(
            "the same key column twice",
            ProjectTexts.MINIMAL.replace("primary_key: id", "primary_key: [id, id]"),
            "defaults.primary_key: found a list of 2; allowed: the name of a column, at most 63 characters, or a list, not empty, at most 32 items, nothing twice, or null"),
        Arguments.of(
            "no key column in the list",
            ProjectTexts.MINIMAL.replace("primary_key: id", "primary_key: []"),
            "defaults.primary_key: found a list of 0; allowed: the name of a column, at most 63 characters, or a list, not empty, at most 32 items, nothing twice, or null"),
        Arguments.of(
            "changes by content without a schedule",
            withSftp("after_load: keep, detect_changes: content"),
            "sftp.detect_changes: found content; allowed: only with after_load: keep and schedule.cron, because each import reads every file again"),
        Arguments.of(
            "a marker without the name",
            withSftp("done_marker: ready"),
            "sftp.done_marker: found \"ready\"; allowed: a file name with {name} in it, such as \"{name}.done\", at most 200 characters, or null"),
        Arguments.of(
            "a marker that is the file itself",
            withSftp("done_marker: '{name}'"),
            "sftp.done_marker: found \"{name}\"; allowed: a file name with {name} in it, such as \"{name}.done\", at most 200 characters, or null"),
        Arguments.of(
            "a target table with its schema",
            withTable("file_pattern: a.csv, target_table: sales.orders"),
            "tables[0].target_table: found \"sales.orders\"; allowed: a plain table name (the schema goes into db_schema): a letter or _, then letters, digits, _, $, - or spaces, at most 63 characters, or null"),
        Arguments.of(
            "a target table that is SQL",
            withTable("file_pattern: a.csv, target_table: 'x\"; DROP TABLE y; --'"),
            "tables[0].target_table: found \"x\\\"; DROP TABLE y; --\"; allowed: a plain table name (the schema goes into db_schema): a letter or _, then letters, digits, _, $, - or spaces, at most 63 characters, or null"),
        Arguments.of(
            "a name with a line end",
            withDefault("db_schema: \"public\\n\""),
            "defaults.db_schema: found \"public\\u000a\"; allowed: a plain schema name: a letter or _, then letters, digits, _, $, - or spaces, at most 63 characters"),
        Arguments.of(
            "a name that PostgreSQL would cut",
            withTable("file_pattern: a.csv, target_table: " + "ä".repeat(32)),
            "tables[0].target_table: found \""
                + "ä".repeat(32)
                + "\" of 64 bytes; allowed: 63 bytes in UTF-8, which is what PostgreSQL keeps"),
        Arguments.of(
            "an unknown encoding",
            withDefault("encoding: latin-99"),
            "defaults.encoding: found \"latin-99\"; allowed: any encoding that Java knows, such as utf-8, latin-1, iso-8859-15, cp1252, utf-16"),
        Arguments.of(
            "a pattern with a folder",
            withTable("file_pattern: '../*.csv'"),
            "tables[0].file_pattern: found \"../*.csv\"; allowed: a pattern for plain file names such as \"*.csv\": no folder, no { }, at most 255 characters, or null"),
        Arguments.of(
            "a pattern with an open bracket",
            withTable("file_pattern: 'a[bc.csv'"),
            "tables[0].file_pattern: found \"a[bc.csv\" with a [ without its ]; allowed: *, ?, [abc], [a-z], [!abc]"),
        Arguments.of(
            "a pattern with a backward range",
            withTable("file_pattern: 'a[z-a].csv'"),
            "tables[0].file_pattern: found \"a[z-a].csv\" with a range between [ and ] that runs backwards; allowed: *, ?, [abc], [a-z], [!abc]"),
        Arguments.of(
            "the same pattern twice",
            ProjectTexts.MINIMAL
                + "tables: [{file_pattern: a.csv}, {file_pattern: b.csv}, {file_pattern: a.csv}]",
            "tables[2].file_pattern: found \"a.csv\", which tables[0] has already; allowed: each pattern once"),
        Arguments.of(
            "two columns into one",
            withTable("file_pattern: a.csv, column_mapping: {A: x, B: x}"),
            "tables[0].column_mapping.B: found \"x\", to which \"A\" is mapped already; allowed: each column once"),
        Arguments.of(
            "a type that is none",
            withTable("file_pattern: a.csv, columns: {a: 'text; DROP TABLE t'}"),
            "tables[0].columns.a: found \"text; DROP TABLE t\"; allowed: a type such as numeric(12,2) or varchar(20) not null, at most 60 characters"),
        Arguments.of(
            "a column of no name",
            withTable("file_pattern: a.csv, column_mapping: {\"A.B\": ''}"),
            "tables[0].column_mapping[\"A.B\"]: found \"\"; allowed: the name of a column, at most 63 characters"),
        Arguments.of(
            "defaults without a key",
            ProjectTexts.MINIMAL.replace(", primary_key: id", ""),
            "defaults: neither primary_key nor a mode without one (append, replace or rebuild_table: true, replace_range); required: one of the two"),
        Arguments.of(
            "an entry that gives up its key",
            withTable("file_pattern: a.csv, primary_key: null"),
            "tables[0]: neither primary_key nor a mode without one (append, replace or rebuild_table: true, replace_range); required: one of the two"),
        Arguments.of(
            "nothing to load",
            "project: abc\nconnection: w\ndefaults: {primary_key: id}\n",
            "tables: missing, and defaults has no file_pattern, so no file would be loaded; required: one of the two"),
        Arguments.of(
            "a login without its host",
            withSftp("username: u"),
            "sftp.username: given without host; allowed: only together with host, because without it the server of the settings is used"),
        Arguments.of(
            "a host without a user",
            withSftp("host: h, password: p"),
            "sftp.username: missing; required with host"),
        Arguments.of(
            "a host without password and key",
            withSftp("host: h, username: u"),
            "sftp.password: missing; with host, password or key_path is required"),
        Arguments.of(
            "a password and a key",
            withSftp(LOGIN + "key_path: k"),
            "sftp.key_path: given beside password; allowed: one of the two"),
        Arguments.of(
            "a passphrase without a key",
            withSftp(LOGIN + "key_passphrase: x"),
            "sftp.key_passphrase: given without key_path; allowed: only with key_path"),
        Arguments.of(
            "an address for a host",
            withSftp("host: 'sftp://u:hunter2@h/x', username: u, password: p"),
            "sftp.host: found \"sftp://…@h/x\"; allowed: a host name or an IP address, without sftp://, user or path, at most 253 characters, or null"),
        Arguments.of(
            "two sources of host keys",
            withSftp(
                LOGIN
                    + "known_hosts: k, host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"),
            "sftp.host_key: given beside known_hosts; allowed: one of the two"),
        Arguments.of(
            "a host key with the host in front",
            withSftp(LOGIN + "host_key: h ssh-ed25519 AAAA"),
            "sftp.host_key: found \"h ssh-ed25519 AAAA\"; allowed: a public key such as \"ssh-ed25519 AAAA…\", without the host name in front, at most 4000 characters, or a list, not empty, at most 20 items, nothing twice, or null"),
        Arguments.of(
            "a host key that is damaged",
            withSftp(LOGIN + "host_key: [ssh-ed25519 AAAAC3NzaC1lZDI]"),
            "sftp.host_key[0]: found a key that is damaged or not of type \"ssh-ed25519\"; allowed: type and text as ssh-keyscan prints them"),
        Arguments.of(
            "a folder for files that stay",
            withSftp("after_load: keep, move_to: old"),
            "sftp.move_to: given with after_load: keep; allowed: only with after_load: move"),
        Arguments.of(
            "a key that is given twice",
            ProjectTexts.MINIMAL + "sftp:\n  port: 1\n  port: 2\n",
            "sftp.port: given twice; allowed: once (see line 6)"),
        Arguments.of(
            "a key that is given twice in JSON",
            "{\"project\": \"a\",\n\"project\": \"b\"}",
            "project: given twice; allowed: once (see line 2)"),
        Arguments.of(
            "an alias",
            ProjectTexts.MINIMAL + "sftp: {password: *hunter2}\n",
            "sftp.password: an alias (*); allowed: the value itself"),
        Arguments.of(
            "binary data",
            withSftp("password: !!binary aHVudGVyMg=="),
            "sftp.password: binary data (!!binary); allowed: the value as text"),
        Arguments.of("no content", "", "is empty; required keys: project, connection"),
        Arguments.of(
            "only comments", "# a\n\n# b\n", "is empty; required keys: project, connection"),
        Arguments.of(
            "a document of nothing", "---\n", "is empty; required keys: project, connection"),
        Arguments.of("null", "null", "is empty; required keys: project, connection"),
        Arguments.of("a list", "- project: abc\n", "found a list of 1; allowed: a mapping"),
        Arguments.of("a text", "hello\n", "found \"hello\"; allowed: a mapping"),
        Arguments.of(
            "several documents",
            ProjectTexts.MINIMAL + "---\n" + ProjectTexts.MINIMAL,
            "several documents; allowed: one"),
        Arguments.of(
            "several JSON documents", "{\"project\": 1} {}", "several documents; allowed: one"),
        Arguments.of(
            "too many levels",
            ProjectTexts.MINIMAL + "tables: " + "[".repeat(5000),
            "beyond a limit; allowed: 20 levels, keys of 1000 and numbers of 100 characters"),
        Arguments.of(
            "a key that is too long",
            "{\"" + "k".repeat(1001) + "\": 1}",
            "beyond a limit; allowed: 20 levels, keys of 1000 and numbers of 100 characters"),
        Arguments.of(
            "a number that is too long",
            withDefault("max_errors: " + "9".repeat(101)),
            "beyond a limit; allowed: 20 levels, keys of 1000 and numbers of 100 characters"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongProjects")
  void saysWhereWhatWasFoundAndWhatIsAllowed(String name, String text, String problem) {
    assertThat(problemsOf(text)).containsExactly("abc.yaml: " + problem);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongDelimiters")
  void refusesADelimiter(String name, String written) {
    assertThat(problemsOf(withDefault("delimiter: " + written)))
        .singleElement()
        .asString()
        .startsWith("abc.yaml: defaults.delimiter: found ")
        .endsWith(
            "; allowed: one ASCII character other than a letter, a digit, a double quote, a backslash or a line end; or tab");
  }

  static Stream<Arguments> wrongDelimiters() {
    return Stream.of(
        Arguments.of("of two characters", "'||'"),
        Arguments.of("a letter", "'x'"),
        Arguments.of("a digit", "'7'"),
        Arguments.of("a double quote", "'\"'"),
        Arguments.of("a backslash", "'\\'"),
        Arguments.of("a line feed", "\"\\n\""),
        Arguments.of("a carriage return", "\"\\r\""),
        Arguments.of("NUL", "\"\\0\""),
        Arguments.of("outside of ASCII", "'§'"),
        Arguments.of("nothing", "''"),
        Arguments.of("a character and a line end", "\";\\n\""));
  }

  @Test
  void listsAllProblemsAtOnce() {
    List<String> problems =
        problemsOf(
            """
            projct: abc
            sftp: {port: 0, download: x}
            defaults: {file_pattern: "[", encoding: klingon, skiprows: -1}
            tables:
              - {target_table: 'a.b', primary_key: id}
            """);

    assertThat(problems)
        .extracting(line -> line.replaceFirst("abc.yaml: ([^ ]+): .*", "$1"))
        .containsExactlyInAnyOrder(
            "projct",
            "project",
            "connection",
            "sftp.port",
            "sftp.download",
            "defaults",
            "defaults.file_pattern",
            "defaults.encoding",
            "defaults.skiprows",
            "tables[0].target_table",
            "tables[0].file_pattern");
  }

  @Test
  void keepsTheMessageShortHoweverMuchIsWrong() {
    String keys =
        IntStream.range(0, 5000).mapToObj(i -> "k" + i + ": 1\n").collect(Collectors.joining());

    assertThat(problemsOf(ProjectTexts.MINIMAL + keys))
        .hasSize(101)
        .last()
        .isEqualTo("abc.yaml: and 4900 more");
    assertThat(problemsOf(ProjectTexts.MINIMAL + "k".repeat(1000) + ": 1\n").get(0))
        .contains("[\"" + "k".repeat(80) + "…\"]: unknown key");
  }

  @Test
  void takesNoAliasForAValueSoThatNoneCanGrow() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
    for (int i = 1; i < 40; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d]\n".formatted(i, i, i - 1, i - 1));
    }

    assertThat(problemsOf(bomb.toString()))
        .hasSize(78)
        .contains("abc.yaml: a39[1]: an alias (*); allowed: the value itself");
  }

  @Test
  void refusesATextThatIsTooLarge() {
    assertThat(problemsOf(ProjectTexts.MINIMAL + "#".repeat(3_000_000)))
        .containsExactly("abc.yaml: too large; allowed: 2097152 bytes");
  }

  @ParameterizedTest
  @MethodSource("brokenTexts")
  void namesTheLineOfASyntaxErrorButNeverQuotesIt(String text, int line) {
    assertThat(problemsOf(text))
        .singleElement()
        .asString()
        .matches("abc.yaml: not valid (YAML|JSON) near line " + line + "; .*")
        .doesNotContain("hunter2");
  }

  static Stream<Arguments> brokenTexts() {
    return Stream.of(
        Arguments.of("project: abc\nsftp:\n  password: %hunter2\n", 3),
        Arguments.of("project: abc\nsftp:\n  password: hunter2: x\n", 3),
        Arguments.of("project: abc\nsftp:\n\tpassword: hunter2\n", 3),
        Arguments.of("project: abc\nsftp: {password: hunter2\n", 3),
        Arguments.of("project: abc\npassword: .inf\n", 2),
        Arguments.of("project: abc\n? [hunter2]\n: 1\n", 2),
        Arguments.of("project: \u0007\n", 1),
        Arguments.of("{\"project\": \"abc\",\n \"password\": hunter2}", 2),
        Arguments.of("{\"project\": \"hunter2", 1));
  }

  @Test
  void neverShowsASecret() {
    String text =
        ProjectTexts.MINIMAL
            + """
            sftp: {host: h, username: u, password: 4711, key_path: "-----BEGIN OPENSSH PRIVATE KEY----- hunter2",
              key_passphrase: [hunter2]}
            """;

    assertThat(problemsOf(text))
        .noneMatch(line -> line.contains("hunter2") || line.contains("4711"))
        .contains(
            "abc.yaml: sftp.key_path: found \"-----BEGIN…\"; allowed: the path of a private key file, not the key itself, at most 1000 characters, or null")
        .contains(
            "abc.yaml: sftp.password: found a value that is not shown here; allowed: text, not empty, at most 1000 characters, or null (put it into quotes)");
  }

  @Test
  void namesTheFileThatCannotBeRead(@TempDir Path folder) throws Exception {
    ProjectConfigReader reader = new ProjectConfigReader(Map.of());
    Path missing = folder.resolve("missing.yaml");
    Path latin1 = Files.write(folder.resolve("latin1.yaml"), "# für\n".getBytes(ISO_8859_1));

    assertThat(catchThrowableOfType(CaravanException.class, () -> reader.read(missing)))
        .hasMessage(missing + ": there is no such file");
    assertThat(catchThrowableOfType(CaravanException.class, () -> reader.read(folder)))
        .hasMessageStartingWith(folder + ": cannot be read: ");
    assertThat(catchThrowableOfType(CaravanException.class, () -> reader.read(latin1)))
        .hasMessage(latin1 + ": not UTF-8 at byte 3; allowed: UTF-8");
  }
}
