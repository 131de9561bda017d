package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What is to be loaded where.
 *
 * @param target created from the source's columns when it does not exist
 * @param keyColumns target columns that identify a row; none for {@link LoadMode#APPEND}, may be
 *     empty for the modes that replace
 * @param columnMapping source column to target column; columns that are not named keep their name
 * @param mode what happens with rows that are there
 * @param range what {@link LoadMode#REPLACE_RANGE} replaces; empty for every other mode
 * @param onMissing what happens with rows that the source no longer has
 * @param onError what a bad row does
 * @param maxErrors more rejects fail the load
 * @param maxErrorRatio a larger share of rejects among the records read (0 to 1) fails the load
 * @param onDrift what a load does that is not like the last one
 * @param allowEmpty whether a source without records may replace the content of the target
 * @param formats how texts are read as values of typed columns
 * @param inferTypes whether a table that the load creates gets types; text by default
 * @param columnTypes target column to the type that it gets where the load creates it, and that it
 *     must have where it is there
 * @param setSequences whether the sequences of columns that were loaded are set behind their values
 */
public record LoadSpec(
    TableName target,
    List<String> keyColumns,
    Map<String, String> columnMapping,
    LoadMode mode,
    Optional<LoadRange> range,
    OnMissing onMissing,
    OnError onError,
    OptionalLong maxErrors,
    OptionalDouble maxErrorRatio,
    OnDrift onDrift,
    boolean allowEmpty,
    ValueFormats formats,
    boolean inferTypes,
    Map<String, ColumnType> columnTypes,
    boolean setSequences) {

  public LoadSpec {
    keyColumns = List.copyOf(keyColumns);
    columnMapping = Map.copyOf(columnMapping);
    columnTypes = Map.copyOf(columnTypes);
    if (keyColumns.isEmpty() && (mode.needsKey() || onMissing == OnMissing.SOFT_DELETE)) {
      throw invalid(
          target,
          "no key columns. Name the columns that identify a row, or replace the whole content, or append");
    }
    if (!keyColumns.isEmpty() && mode == LoadMode.APPEND) {
      throw invalid(target, "append has no key columns; found " + String.join(", ", keyColumns));
    }
    if (range.isPresent() != (mode == LoadMode.REPLACE_RANGE)) {
      throw invalid(target, "replace_range, and no other mode, needs the column of its range");
    }
    if (onMissing == OnMissing.SOFT_DELETE && mode != LoadMode.UPSERT && mode != LoadMode.SCD2) {
      throw invalid(target, "missing rows can be marked by upsert and scd2 only");
    }
  }

  /** Without types that are given. */
  public LoadSpec(
      TableName target,
      List<String> keyColumns,
      Map<String, String> columnMapping,
      LoadMode mode,
      Optional<LoadRange> range,
      OnMissing onMissing,
      OnError onError,
      OptionalLong maxErrors,
      OptionalDouble maxErrorRatio,
      OnDrift onDrift,
      boolean allowEmpty,
      ValueFormats formats,
      boolean inferTypes) {
    this(
        target,
        keyColumns,
        columnMapping,
        mode,
        range,
        onMissing,
        onError,
        maxErrors,
        maxErrorRatio,
        onDrift,
        allowEmpty,
        formats,
        inferTypes,
        Map.of(),
        true);
  }

  private static CaravanException invalid(TableName target, String what) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID, "Cannot load into %s: %s.".formatted(target, what));
  }

  /** True when the absence of a record changes the target. */
  boolean removesRows() {
    return mode == LoadMode.REPLACE
        || mode == LoadMode.REPLACE_RANGE
        || onMissing == OnMissing.SOFT_DELETE;
  }

  /** The columns of the target that the load fills beside those of the source. */
  List<ControlColumn> controlColumns() {
    if (mode == LoadMode.SCD2) {
      return List.of(ControlColumn.VALID_FROM, ControlColumn.VALID_TO, ControlColumn.CURRENT);
    }
    return onMissing == OnMissing.SOFT_DELETE ? List.of(ControlColumn.DELETED_AT) : List.of();
  }

  /** The same for some records more: nothing that they do not name is removed or marked. */
  public LoadSpec withOnlyRecords(LoadMode other) {
    return new LoadSpec(
        target,
        keyColumns,
        columnMapping,
        other,
        Optional.empty(),
        OnMissing.KEEP,
        onError,
        maxErrors,
        maxErrorRatio,
        onDrift,
        allowEmpty,
        formats,
        false,
        columnTypes,
        setSequences);
  }

  /** An upsert that tolerates bad rows without limit. */
  public static LoadSpec upsert(TableName target, List<String> keyColumns) {
    return of(target, keyColumns, LoadMode.UPSERT);
  }

  /** The same defaults in another mode that needs no range. */
  public static LoadSpec of(TableName target, List<String> keyColumns, LoadMode mode) {
    return new LoadSpec(
        target,
        keyColumns,
        Map.of(),
        mode,
        Optional.empty(),
        OnMissing.KEEP,
        OnError.REJECT,
        OptionalLong.empty(),
        OptionalDouble.empty(),
        OnDrift.FREEZE,
        false,
        ValueFormats.ISO,
        false);
  }
}
