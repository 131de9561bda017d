package dev.caravan.cli;

import com.fasterxml.jackson.core.JsonProcessingException;

/**
 * A project file to begin with, in YAML with comments.
 *
 * @param host null for the SFTP server of the settings
 * @param user null without host
 * @param passwordVariable environment variable that the file refers to for the password
 * @param sample null when there is none
 */
record ProjectTemplate(
    String project,
    String connection,
    String host,
    String user,
    String passwordVariable,
    String remotePath,
    String primaryKey,
    SampleCsv sample) {

  String yaml() {
    return """
        # Which files go into which tables. Every key: docs/projects.md
        project: %s
        # The name of a connection: warehouse is the database of Caravan's settings.
        connection: %s

        sftp:
        %s  remote_path: %s
          # What becomes of a file after its load: move (into .done) or keep.
          after_load: move

        # Holds for every file that no entry of tables matches; its table is named after the file.
        defaults:
          file_pattern: "*.csv"
        %s  # By it a row is found again: known rows are updated, others inserted. It must be unique.
          primary_key: %s
          delimiter: %s
          encoding: %s

        # Files that need rules of their own; the first entry that matches is taken.
        # tables:
        #   - file_pattern: "customers_*.csv"
        #     target_table: customers
        #     primary_key: [id, year]
        """
        .formatted(
            quoted(project),
            quoted(connection),
            server(),
            quoted(remotePath),
            columns(),
            quoted(primaryKey),
            quoted(sample == null ? "," : String.valueOf(sample.delimiter())),
            quoted(sample == null ? "utf-8" : sample.encoding()));
  }

  private String server() {
    if (host == null) {
      return "  # Without a host: the SFTP server of Caravan's settings.\n";
    }
    return """
          host: %s
          username: %s
          # The text of an environment variable; the password itself does not belong here.
          password: ${env:%s}
          # The server's key, as ssh-keyscan prints it after the host; or name a known_hosts file.
          # host_key: "ssh-ed25519 AAAA..."
        """
        .formatted(quoted(host), quoted(user), passwordVariable);
  }

  private String columns() {
    return sample == null
        ? ""
        : "  # Columns of %s: %s\n"
            .formatted(oneLine(sample.fileName()), oneLine(String.join(", ", sample.columns())));
  }

  private static String oneLine(String text) {
    return Terminal.plain(text).replaceAll("[\n\t]", " ");
  }

  /** A text of JSON is one of YAML. */
  private static String quoted(String text) {
    try {
      return RestClient.JSON.writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a text", e);
    }
  }
}
