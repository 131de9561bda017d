package dev.caravan.project;

/**
 * Where and how one file is loaded.
 *
 * @param schema name of the schema, unquoted
 * @param table name of the table, unquoted
 */
public record TablePlan(String schema, String table, TableOptions options) {}
