package dev.caravan.pgload;

import dev.caravan.record.RecordStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The statements that a load would run on the definition of its target. */
public final class TableDdl {

  private TableDdl() {}

  /**
   * Asks what a load would run; runs nothing and reads no record.
   *
   * @param records only their columns are looked at
   * @return in their order; none when the table is as the records need it. With types that are
   *     inferred columns are shown as text, for the types follow from all values.
   * @throws dev.caravan.failure.CaravanException as the load would for these columns
   */
  public static List<String> of(Connection connection, LoadSpec spec, RecordStream records)
      throws SQLException {
    Optional<Target> target = Target.find(connection, spec.target());
    if (target.isPresent()) {
      return added(spec, ColumnPlan.forTable(spec, records, target.get(), Map.of()));
    }
    ColumnPlan plan = ColumnPlan.forNewTable(spec, records);
    List<String> sql = new ArrayList<>(NewTable.creation(spec, plan));
    sql.addAll(NewTable.key(spec, plan));
    return sql;
  }

  /** What adds the columns that the target does not have. */
  static List<String> added(LoadSpec spec, ColumnPlan plan) {
    return plan.added().stream()
        .map(
            added ->
                "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s"
                    .formatted(
                        spec.target().sql(), Identifier.quote(added.column()), added.after()))
        .toList();
  }
}
