package dev.caravan.project;

import java.util.Map;

/** Projects for the tests of this package. */
final class ProjectTexts {

  /** The example of the contract, with the host and the login filled in. */
  static final String CONTRACT =
      """
      project: customer_abc
      connection: warehouse            # a named connection; there is no fallback to an environment variable
      sftp: {host: sftp.abc.example, port: 22, username: export, password: not-so-secret, remote_path: /export}
      defaults: {file_pattern: "*.csv", primary_key: id, delimiter: ";", encoding: latin-1, skiprows: 1}
      table_naming: {strip_prefix: IxExp, strip_suffix: "", lowercase: true}   # IxExpKonto.csv → konto
      tables:                          # explicit entries win over the defaults
        - {file_pattern: "customers_*.csv", target_table: customers, primary_key: [id, year],
           column_mapping: {Old: new}, rebuild_table: false, delimiter: "|", encoding: latin-1, skiprows: 1, db_schema: public}
      """;

  static final String MINIMAL =
      """
      project: abc
      connection: warehouse
      defaults: {file_pattern: "*.csv", primary_key: id}
      """;

  private ProjectTexts() {}

  static ProjectConfig read(String text) {
    return new ProjectConfigReader(Map.of()).read(text, "abc.yaml");
  }
}
