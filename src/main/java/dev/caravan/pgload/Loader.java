package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.LoadResult.Outcome;
import dev.caravan.record.Fields;
import dev.caravan.record.RecordStream;
import dev.caravan.record.RecordStream.Step;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Loads one stream of records into one table in one transaction. The target is as before or as
 * after, never in between; every record read is counted or is in the rejects table.
 */
public final class Loader {

  /** MERGE with RETURNING and WHEN NOT MATCHED BY SOURCE came with PostgreSQL 17. */
  private static final int MIN_SERVER = 17;

  private final Connection connection;
  private final LoadSpec spec;
  private final LoadOrigin origin;
  private final RecordStream records;
  private final RejectLog rejects;
  private final long started = System.nanoTime();
  private long read;

  private Loader(Connection connection, LoadSpec spec, LoadOrigin origin, RecordStream records) {
    this.connection = connection;
    this.spec = spec;
    this.origin = origin;
    this.records = records;
    this.rejects = new RejectLog(spec, origin);
  }

  /**
   * Loads all records.
   *
   * @param connection of the PostgreSQL driver; its transaction is the load's and is over at the
   *     end
   * @throws CaravanException with its code when nothing was loaded; the first rejects are stored
   * @throws IOException when the source breaks; nothing was loaded
   */
  public static LoadResult load(
      Connection connection, LoadSpec spec, LoadOrigin origin, RecordStream records)
      throws IOException {
    Loader loader = new Loader(connection, spec, origin, records);
    String what = "Cannot load " + origin.file() + " into " + spec.target();
    try {
      prepare(connection);
      LoadResult result = loader.run();
      connection.commit();
      return result;
    } catch (SQLException e) {
      throw loader.undo(SqlFailure.of(what, e));
    } catch (CaravanException e) {
      throw loader.undo(e);
    } catch (IOException | RuntimeException e) {
      loader.undo(e);
      throw e;
    }
  }

  /**
   * Creates the ledger and the rejects table where they are missing; a load does so itself.
   *
   * @throws CaravanException DB_VERSION when the server is too old
   */
  public static void prepare(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    checkServer(connection.getMetaData());
    LoadTables.ensure(connection);
    connection.commit();
  }

  private static void checkServer(DatabaseMetaData server) throws SQLException {
    if (server.getDatabaseMajorVersion() < MIN_SERVER) {
      throw new CaravanException(
          FailureCode.DB_VERSION,
          "The server is PostgreSQL %s; Caravan needs %d or later."
              .formatted(server.getDatabaseProductVersion(), MIN_SERVER));
    }
  }

  private <E extends Exception> E undo(E cause) {
    try {
      connection.rollback();
      rejects.writeFirst(connection);
      connection.commit();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
    return cause;
  }

  private LoadResult run() throws SQLException, IOException {
    settings();
    Optional<Target> found = Target.find(connection, spec.target());
    ColumnPlan plan = plan(found);
    Staging staging = Staging.create(connection, plan);
    stage(plan);
    rejects.check(read);
    checkEmpty();
    lockTarget();
    if (origin.sha256() != null && !origin.force()) {
      Optional<UUID> same = LoadLedger.sameContent(connection, spec, origin);
      if (same.isPresent()) {
        return sameContent(same.get());
      }
    }
    if (found.isEmpty()) {
      plan = createOrFind(plan);
    }
    return merge(plan, staging);
  }

  private void settings() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      // The id tells operators and a later node which load a backend belongs to.
      statement.execute("SET LOCAL application_name = 'caravan load " + origin.loadId() + "'");
      // Measured: 15 % off a merge of 1.25M rows against the default of 4 MB.
      statement.execute("SET LOCAL work_mem = '64MB'");
    }
  }

  private ColumnPlan plan(Optional<Target> target) throws SQLException {
    ColumnPlan plan =
        target.isPresent()
            ? ColumnPlan.forTable(spec, records, target.get())
            : ColumnPlan.forNewTable(spec, records);
    if (spec.onDrift() == OnDrift.FAIL) {
      Map<String, String> before = LoadLedger.lastColumns(connection, spec, origin);
      if (target.isPresent()) {
        plan.checkDrift(spec.target(), before);
      }
    }
    return plan;
  }

  private void stage(ColumnPlan plan) throws SQLException, IOException {
    CopyRows copy = new CopyRows(connection, Staging.TABLE);
    try {
      for (Step step = records.next(); step != Step.END; step = records.next()) {
        read++;
        Reject reject = step == Step.REJECT ? records.reject() : checkKey(plan);
        if (reject == null) {
          copy.add(records.line(), records.fields());
        } else if (rejects.add(reject)) {
          copy.pause();
          rejects.write(connection);
        }
      }
      copy.pause();
    } catch (SQLException | IOException | RuntimeException e) {
      cancel(copy, e);
      throw e;
    }
    long staged = read - rejects.count();
    if (copy.rows() != staged) {
      throw new CaravanException(
          FailureCode.INTERNAL,
          "%d rows were sent to the staging table and %d arrived.".formatted(staged, copy.rows()));
    }
  }

  private static void cancel(CopyRows copy, Exception cause) {
    try {
      copy.cancel();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  private Reject checkKey(ColumnPlan plan) {
    Fields fields = records.fields();
    for (int field : plan.keys()) {
      if (fields.isNull(field) || fields.length(field) == 0) {
        return records.rejectCurrent(
            field, RejectCode.NULL_KEY, "The key column is empty; a row is found by its key.");
      }
    }
    return null;
  }

  private void checkEmpty() {
    if (read == 0 && spec.mode() == LoadMode.REPLACE && !spec.allowEmpty()) {
      throw new CaravanException(
          FailureCode.EMPTY_FILE,
          "%s has no records; it would empty %s. Allow it with allow_empty."
              .formatted(origin.file(), spec.target()));
    }
  }

  /** Holds the target against other loads of ours until the commit; readers are not held up. */
  private void lockTarget() throws SQLException {
    String sql = "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))";
    try (PreparedStatement lock = connection.prepareStatement(sql)) {
      lock.setString(1, "caravan.target." + spec.target().sql());
      lock.execute();
    }
  }

  private LoadResult sameContent(UUID before) throws SQLException {
    connection.rollback();
    return result(Outcome.SAME_CONTENT, before, 0, new Merge.Counts(0, 0, 0), 0, 0);
  }

  /** Another load may have created the table while this one was staging. */
  private ColumnPlan createOrFind(ColumnPlan plan) throws SQLException {
    Optional<Target> meanwhile = Target.find(connection, spec.target());
    if (meanwhile.isPresent()) {
      return ColumnPlan.forTable(spec, records, meanwhile.get());
    }
    String columns =
        String.join(
            ", ", plan.names().stream().map(name -> Identifier.quote(name) + " text").toList());
    String key =
        plan.keys().isEmpty() ? "" : ", PRIMARY KEY (" + Identifier.list(plan.keyNames()) + ")";
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA IF NOT EXISTS " + Identifier.quote(spec.target().schema()));
      statement.execute("CREATE TABLE %s (%s%s)".formatted(spec.target().sql(), columns, key));
    }
    return plan;
  }

  private LoadResult merge(ColumnPlan plan, Staging staging) throws SQLException {
    new ValueCheck(connection, plan, records.columns()).run(rejects);
    rejects.check(read);
    long superseded = plan.keys().isEmpty() ? 0 : staging.deleteSuperseded();
    Merge merge = new Merge(connection, spec, plan, staging);
    Merge.Counts counts = merge.run();
    merge.refused().forEach(rejects::add);
    rejects.check(read);
    LoadResult result = result(Outcome.LOADED, null, read, counts, superseded, rejects.count());
    rejects.write(connection);
    LoadLedger.write(connection, plan, origin, result);
    return result;
  }

  private LoadResult result(
      Outcome outcome,
      UUID sameAs,
      long read,
      Merge.Counts counts,
      long superseded,
      long rejected) {
    return new LoadResult(
        origin.loadId(),
        spec.target(),
        outcome,
        sameAs,
        read,
        counts.inserted(),
        counts.updated(),
        read - rejected - superseded - counts.inserted() - counts.updated(),
        superseded,
        rejected,
        counts.deleted(),
        origin.bytes(),
        Duration.ofNanos(System.nanoTime() - started),
        records.warnings());
  }
}
