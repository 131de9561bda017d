package dev.caravan.pgload;

/** The columns of a target that the load itself fills; no source may bring them. */
public enum ControlColumn {
  /** When the version of the row came into force ({@link LoadMode#SCD2}). */
  VALID_FROM("valid_from", "timestamptz NOT NULL DEFAULT now()"),
  /** When it was replaced or went missing; NULL in the current version. */
  VALID_TO("valid_to", "timestamptz"),
  /** Whether it is the version in force. */
  CURRENT("current", "boolean NOT NULL DEFAULT true"),
  /**
   * When the row went missing from the source ({@link OnMissing#SOFT_DELETE}); NULL while there.
   */
  DELETED_AT("deleted_at", "timestamptz");

  private final String columnName;
  private final String definition;

  ControlColumn(String columnName, String definition) {
    this.columnName = columnName;
    this.definition = definition;
  }

  /** Its name in the table. */
  public String columnName() {
    return columnName;
  }

  /** Quoted. */
  String sql() {
    return Identifier.quote(columnName);
  }

  /** Name, type and constraints, as CREATE TABLE takes them. */
  String definition() {
    return sql() + " " + definition;
  }
}
