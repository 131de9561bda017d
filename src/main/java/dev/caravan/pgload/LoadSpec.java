package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What is to be loaded where.
 *
 * @param target created from the source's columns when it does not exist
 * @param keyColumns target columns that identify a row; may be empty only for {@link
 *     LoadMode#REPLACE}
 * @param columnMapping source column to target column; columns that are not named keep their name
 * @param mode what happens with rows that are there
 * @param onError what a bad row does
 * @param maxErrors more rejects fail the load
 * @param maxErrorRatio a larger share of rejects among the records read (0 to 1) fails the load
 * @param onDrift what a load does that is not like the last one
 * @param allowEmpty whether a source without records may replace the content of the target
 */
public record LoadSpec(
    TableName target,
    List<String> keyColumns,
    Map<String, String> columnMapping,
    LoadMode mode,
    OnError onError,
    OptionalLong maxErrors,
    OptionalDouble maxErrorRatio,
    OnDrift onDrift,
    boolean allowEmpty) {

  public LoadSpec {
    keyColumns = List.copyOf(keyColumns);
    columnMapping = Map.copyOf(columnMapping);
    if (keyColumns.isEmpty() && mode == LoadMode.UPSERT) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "Cannot load into %s: no key columns. Name the columns that identify a row, or replace the whole content."
              .formatted(target));
    }
  }

  /** An upsert that tolerates bad rows without limit. */
  public static LoadSpec upsert(TableName target, List<String> keyColumns) {
    return new LoadSpec(
        target,
        keyColumns,
        Map.of(),
        LoadMode.UPSERT,
        OnError.REJECT,
        OptionalLong.empty(),
        OptionalDouble.empty(),
        OnDrift.FAIL,
        false);
  }
}
