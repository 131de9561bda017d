package dev.caravan.project;

import java.util.Optional;

/**
 * Which files are loaded into which table, and how.
 *
 * @param schema the schema of the table
 * @param targetTable empty when the name of the table is made from the name of the file
 */
public record TableRule(
    FileGlob filePattern, String schema, Optional<String> targetTable, TableOptions options) {

  TablePlan plan(FileName file, TableNaming naming) {
    file.requirePlain();
    String table = targetTable.orElseGet(() -> naming.tableNameFor(file));
    return new TablePlan(schema, table, options);
  }
}
