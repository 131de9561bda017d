package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.pgload.ForeignKeys;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.pgload.TableName;
import dev.caravan.project.ProjectConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import javax.sql.DataSource;

/**
 * The order of the files of one job: those of tables that others refer to come first, and files of
 * one table stay in the order of their times.
 */
final class LoadOrder {

  private final ProjectConfig project;
  private final DataSource target;

  LoadOrder(ProjectConfig project, DataSource target) {
    this.project = project;
    this.target = target;
  }

  /**
   * The files in their order. The database is asked once, and not at all for files of one table.
   *
   * @param name of a file
   */
  <T> List<T> of(List<T> files, Function<T, String> name) {
    Map<T, TableName> tables = new HashMap<>();
    files.forEach(file -> putTable(tables, file, name.apply(file)));
    List<TableName> distinct = tables.values().stream().distinct().toList();
    if (distinct.size() < 2) {
      return files;
    }
    try (Connection connection = target.getConnection()) {
      ForeignKeys keys = ForeignKeys.among(connection, distinct);
      return files.stream()
          .sorted(Comparator.comparingInt(file -> rank(keys, tables.get(file))))
          .toList();
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot look up the foreign keys of " + project.connection(), e);
    }
  }

  private static int rank(ForeignKeys keys, TableName table) {
    return table == null ? 0 : keys.rank(table);
  }

  /** A name that gives no table fails by itself, when its turn comes. */
  private <T> void putTable(Map<T, TableName> tables, T file, String name) {
    try {
      project
          .plan(name)
          .ifPresent(plan -> tables.put(file, new TableName(plan.schema(), plan.table())));
    } catch (CaravanException e) {
      tables.remove(file);
    }
  }
}
