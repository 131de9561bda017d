package dev.caravan.pgload;

/** A table by schema and name, both exactly as PostgreSQL stores them (case counts). */
public record TableName(String schema, String name) {

  public TableName {
    Identifier.quote(schema);
    Identifier.quote(name);
  }

  /** Reads {@code schema.name}, or {@code name} in schema public; both are taken as they stand. */
  public static TableName parse(String text) {
    int dot = text.indexOf('.');
    return dot < 0
        ? new TableName("public", text)
        : new TableName(text.substring(0, dot), text.substring(dot + 1));
  }

  /** For SQL. */
  public String sql() {
    return Identifier.quote(schema) + "." + Identifier.quote(name);
  }

  /** For messages. */
  @Override
  public String toString() {
    return schema + "." + name;
  }
}
