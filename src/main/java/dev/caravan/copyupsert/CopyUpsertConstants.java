package dev.caravan.copyupsert;

import org.apache.camel.spi.Metadata;

/** The headers of the {@code copy-upsert} component. */
public final class CopyUpsertConstants {

  @Metadata(
      label = "producer",
      description =
          "Target, options and CSV format of this load; they take the place of the endpoint's own.",
      javaType = "dev.caravan.copyupsert.CopyUpsertLoad")
  public static final String LOAD = "CamelCopyUpsertLoad";

  @Metadata(
      label = "producer",
      description = "The database of this load; it takes the place of the endpoint's own.",
      javaType = "javax.sql.DataSource")
  public static final String DATA_SOURCE = "CamelCopyUpsertDataSource";

  @Metadata(
      label = "producer",
      description =
          "Id of the load in the ledger; the same id is never loaded twice. Default: a new one.",
      javaType = "java.util.UUID")
  public static final String LOAD_ID = "CamelCopyUpsertLoadId";

  @Metadata(
      label = "producer",
      description = "What the load did.",
      javaType = "dev.caravan.pgload.LoadResult")
  public static final String RESULT = "CamelCopyUpsertResult";

  @Metadata(
      label = "producer",
      description =
          "LOADED, SAME_CONTENT when the same bytes were loaded before, or SKIPPED for a source without records.",
      javaType = "String")
  public static final String OUTCOME = "CamelCopyUpsertOutcome";

  @Metadata(
      label = "producer",
      description =
          "The counts have one header each: read, inserted, updated, unchanged, superseded, rejected,"
              + " deleted, written CamelCopyUpsertRead and so on.",
      javaType = "Long")
  public static final String COUNT_PREFIX = "CamelCopyUpsert";

  @Metadata(
      label = "producer",
      description = "The target as schema.table; set before the load begins.",
      javaType = "String")
  public static final String TABLE = "CamelCopyUpsertTable";

  @Metadata(
      label = "producer",
      description = "With outcome SAME_CONTENT: the load that brought the content.",
      javaType = "java.util.UUID")
  public static final String SAME_AS = "CamelCopyUpsertSameAs";

  @Metadata(
      label = "producer",
      description = "From the first record to the commit.",
      javaType = "java.time.Duration")
  public static final String ELAPSED = "CamelCopyUpsertElapsed";

  @Metadata(
      label = "producer",
      description = "What was odd but not wrong, each text with its code in front.",
      javaType = "java.util.List<String>")
  public static final String WARNINGS = "CamelCopyUpsertWarnings";

  @Metadata(
      label = "producer",
      description =
          "What people call the load; within one job no two loads have the same. Default: CamelFileName, without one the table.",
      javaType = "String")
  public static final String LABEL = "CamelCopyUpsertLabel";

  private CopyUpsertConstants() {}
}
