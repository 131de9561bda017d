package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.FaultPoint;
import dev.caravan.pgload.LoadProgress.Step;
import dev.caravan.pgload.LoadResult.Outcome;
import dev.caravan.record.Fields;
import dev.caravan.record.RecordStream;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Loads one stream of records into one table in one transaction. The target is as before or as
 * after, never in between; every record read is counted or is in the rejects table.
 */
public final class Loader {

  /** MERGE with RETURNING and WHEN NOT MATCHED BY SOURCE came with PostgreSQL 17. */
  private static final int MIN_SERVER = 17;

  /** Progress is told every 1,024 records. */
  private static final long PROGRESS_MASK = 0x3FF;

  private final Connection connection;
  private final Optional<DataSource> second;
  private final LoadSpec spec;
  private final LoadOrigin origin;
  private final RecordStream records;
  private final RejectLog rejects;
  private final LoadProgress progress;
  private final long started = System.nanoTime();
  private long read;
  private long filtered;
  private boolean parallel;
  private ServerEncoding encoding;
  private final List<String> warnings = new ArrayList<>();

  private Loader(
      Connection connection,
      Optional<DataSource> second,
      LoadSpec spec,
      LoadOrigin origin,
      RecordStream records) {
    this.connection = connection;
    this.second = second;
    this.spec = spec;
    this.origin = origin;
    this.records = records;
    this.rejects = new RejectLog(spec, origin, records.columns());
    this.progress = origin.progress();
    progress.step(Step.READING);
  }

  /**
   * Loads all records on one connection.
   *
   * @param connection of the PostgreSQL driver; its transaction is the load's and is over at the
   *     end
   * @throws CaravanException with its code when nothing was loaded; the first rejects are stored
   * @throws IOException when the source breaks; nothing was loaded
   */
  public static LoadResult load(
      Connection connection, LoadSpec spec, LoadOrigin origin, RecordStream records)
      throws IOException {
    return load(new Loader(connection, Optional.empty(), spec, origin, records));
  }

  /**
   * Loads all records; a large source goes through two connections at once, if the second is to be
   * had. It is one transaction all the same.
   *
   * @throws CaravanException as above
   */
  public static LoadResult load(
      DataSource database, LoadSpec spec, LoadOrigin origin, RecordStream records)
      throws IOException {
    try (Connection connection = database.getConnection()) {
      Loader loader = new Loader(connection, Optional.of(database), spec, origin, records);
      origin.progress().begin(() -> abort(connection, database, origin));
      try {
        return load(loader);
      } finally {
        origin.progress().end();
      }
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot connect to the database of " + spec.target(), e);
    }
  }

  private static void abort(Connection connection, DataSource database, LoadOrigin origin) {
    try {
      connection.abort(Runnable::run);
      if (origin.fence().isPresent()) {
        try (Connection other = database.getConnection()) {
          origin.fence().get().endSessions(other);
        }
      }
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot end the sessions of the load of " + origin.file(), e);
    }
  }

  private static LoadResult load(Loader loader) throws IOException {
    LoadSpec spec = loader.spec;
    LoadOrigin origin = loader.origin;
    Connection connection = loader.connection;
    String what = "Cannot load " + origin.file() + " into " + spec.target();
    try {
      prepare(connection);
      Optional<LoadResult> before = loader.takeOver();
      if (before.isPresent()) {
        return before.get();
      }
      LoadResult result = loader.run();
      FaultPoint.hit("K10");
      connection.commit();
      FaultPoint.hit("K11");
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
    SessionSettings.apply(connection);
    checkServer(connection.getMetaData());
    LoadTables.ensure(connection);
    try (Statement statement = connection.createStatement()) {
      SecondStream.sweep(statement);
    }
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

  /** Shuts out earlier attempts; the result of one that had committed is this load's. */
  private Optional<LoadResult> takeOver() throws SQLException {
    Optional<Fence> fence = origin.fence();
    if (fence.isEmpty()) {
      return Optional.empty();
    }
    if (fence.get().epoch() == 1) {
      fence.get().enter(connection);
      return Optional.empty();
    }
    fence.get().raise(connection);
    Optional<LoadResult> committed = LoadLedger.find(connection, origin.loadId());
    connection.rollback();
    if (committed.isEmpty() && !fence.get().mayLoad()) {
      throw new CaravanException(
          FailureCode.ATTEMPTS_EXHAUSTED,
          "Every attempt to load %s was cut off before it could say how it ended, most likely with its process; none has committed."
              .formatted(origin.file()));
    }
    if (committed.isEmpty()) {
      SessionSettings.apply(connection);
      fence.get().hold(connection);
      RejectLog.forget(connection, origin.loadId());
      connection.commit();
    }
    return committed;
  }

  /**
   * From here to the commit, which comes at once, nobody can take the load away, or it is taken
   * away already. Up to here, a merge that takes its time included, it can be cancelled.
   */
  private void holdFence() throws SQLException {
    FaultPoint.hit("K8");
    if (origin.fence().isPresent()) {
      origin.fence().get().hold(connection);
    }
    FaultPoint.hit("K9");
  }

  /** Begins to write the target, unless a newer attempt does. */
  private void beginMerge() throws SQLException {
    if (origin.fence().isPresent()) {
      origin.fence().get().check(connection);
    }
    progress.step(Step.MERGING);
  }

  /** What the load's sessions are called in {@code pg_stat_activity}. */
  static String session(LoadOrigin origin) {
    return origin.fence().map(Fence::session).orElse("caravan load " + origin.loadId());
  }

  private <E extends Exception> E undo(E cause) {
    try {
      connection.rollback();
      SessionSettings.apply(connection);
      rejects.writeFirst(connection);
      dropSecondStaging();
      connection.commit();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
    return cause;
  }

  /** The table of the second stream stands outside of the transaction that filled it. */
  private void dropSecondStaging() throws SQLException {
    if (parallel) {
      try (Statement statement = connection.createStatement()) {
        SecondStream.drop(statement, SecondStream.attempt(origin));
      }
    }
  }

  private LoadResult run() throws SQLException, IOException {
    settings();
    Optional<Target> target = Target.find(connection, spec.target());
    if (target.isEmpty()) {
      lockTarget();
      target = Target.find(connection, spec.target()); // another load may have created it meanwhile
    }
    boolean checked = spec.range().isPresent() || !spec.columnTypes().isEmpty();
    if (target.isEmpty() && checked && !spec.inferTypes()) {
      ColumnPlan plan = ColumnPlan.forNewTable(spec, records);
      NewTable.create(connection, spec, plan).addKey(true); // empty; values are yet to be checked
      target = Target.find(connection, spec.target());
    }
    if (target.isPresent()) {
      return loadTable(target.get());
    }
    return spec.inferTypes() ? loadInferredTable() : loadNewTable();
  }

  private LoadResult loadTable(Target target) throws SQLException, IOException {
    ColumnPlan plan =
        ColumnPlan.forTable(
            spec, records, target, LoadLedger.lastColumns(connection, spec, origin));
    checkBounds(plan);
    KeyOrder keys = new KeyOrder(plan);
    PlainValues values = new PlainValues(plan);
    Staging staging = stage(plan, keys, values);
    progress.step(Step.CHECKING);
    lockTarget();
    beginMerge();
    LockedTarget locked = LockedTarget.of(connection, spec, plan);
    if (origin.sha256() != null && !origin.force()) {
      Optional<UUID> same = LoadLedger.sameContent(connection, spec, origin);
      if (same.isPresent()) {
        return sameContent(same.get());
      }
    }
    plan.settle(values);
    return merge(plan, staging, values, plan.keys().isEmpty() || keys.provesUnique(), locked);
  }

  private void checkBounds(ColumnPlan plan) throws SQLException {
    if (spec.range().filter(LoadRange::isBounded).isPresent()) {
      RangeBounds.of(plan, spec.range().get()).check(connection, spec.target());
    }
  }

  private Staging stage(ColumnPlan plan, KeyOrder keys, PlainValues values)
      throws SQLException, IOException {
    Staging staging = Staging.create(connection, plan, records);
    CopyRows copy = CopyRows.toStaging(connection, plan, second, origin);
    if (copy(copy, plan, keys, values)) {
      staging.join(SecondStream.attempt(origin));
    }
    return staging;
  }

  /** The types of the columns are known when all values have been seen. */
  private LoadResult loadInferredTable() throws SQLException, IOException {
    ColumnPlan texts = ColumnPlan.forNewTable(spec, records);
    Staging staging = stage(texts, new KeyOrder(texts), new PlainValues(texts));
    ColumnPlan plan = TypeInference.infer(connection, spec, texts, staging);
    checkBounds(plan);
    beginMerge();
    NewTable.create(connection, spec, plan).addKey(true); // it is empty
    PlainValues checked = new PlainValues(plan); // the inference has looked at every value
    spec.columnTypes().keySet().forEach(column -> checked.doubt(plan.columnOf(column)));
    return merge(plan, staging, checked, plan.keys().isEmpty(), LockedTarget.NEW);
  }

  /** Nobody can see the table before the commit, so the rows go straight into it. */
  private LoadResult loadNewTable() throws SQLException, IOException {
    ColumnPlan plan = ColumnPlan.forNewTable(spec, records);
    NewTable table = NewTable.create(connection, spec, plan);
    KeyOrder keys = new KeyOrder(plan);
    CopyRows copy = CopyRows.toNewTable(connection, spec.target(), plan);
    copy(copy, plan, keys, new PlainValues(plan));
    beginMerge();
    long superseded = table.addKey(keys.provesUnique());
    Merge.Counts counts = new Merge.Counts(copy.rows() - copy.stagedRows() - superseded, 0, 0, 0);
    if (copy.staged().isPresent()) {
      Staging late = copy.staged().get();
      long again = plan.keys().isEmpty() ? 0 : late.deleteSuperseded();
      superseded += again;
      counts = counts.plus(mergeLate(plan, late, copy.stagedRows() - again));
    }
    return written(plan, counts, superseded);
  }

  /** Rows that may be too large; they are no less of the source than those in the new table. */
  private Merge.Counts mergeLate(ColumnPlan plan, Staging late, long rows) throws SQLException {
    LoadMode mode =
        spec.mode() == LoadMode.SCD2
            ? LoadMode.SCD2
            : plan.keys().isEmpty() ? LoadMode.APPEND : LoadMode.UPSERT;
    Merge.Counts counts =
        new Merge(connection, spec.withOnlyRecords(mode), plan, late, false)
            .run(rows, false, rejects);
    rejects.check(read);
    return counts;
  }

  private void settings() throws SQLException {
    SessionSettings.apply(connection);
    encoding = new ServerEncoding(connection);
    try (Statement statement = connection.createStatement()) {
      // The id tells operators and a later node which load a backend belongs to.
      statement.execute("SET LOCAL application_name = '" + session(origin) + "'");
      SecondStream.announce(statement, SecondStream.attempt(origin));
      // Measured: 15 % off a merge of 1.25M rows against the default of 4 MB.
      statement.execute("SET LOCAL work_mem = '64MB'");
    }
  }

  /** True when the second stream has a part of the rows. */
  private boolean copy(CopyRows copy, ColumnPlan plan, KeyOrder keys, PlainValues values)
      throws SQLException, IOException {
    boolean joined;
    try {
      for (RecordStream.Step step = records.next();
          step != RecordStream.Step.END;
          step = records.next()) {
        if ((++read & PROGRESS_MASK) == 0) {
          progress.readRows(PROGRESS_MASK + 1);
          FaultPoint.hit("K6");
        }
        Reject reject =
            step == RecordStream.Step.REJECT ? records.reject() : stage(copy, plan, keys, values);
        if (reject != null && rejects.add(reject)) {
          copy.pause();
          rejects.write(connection);
        }
      }
      joined = copy.finish();
      progress.readRows(read & PROGRESS_MASK);
      FaultPoint.hit("K7");
      parallel = copy.isParallel();
    } catch (SQLException | IOException | RuntimeException e) {
      cancel(copy, e);
      parallel = copy.isParallel();
      throw e;
    }
    long staged = read - rejects.count() - filtered;
    if (copy.rows() != staged) {
      throw new CaravanException(
          FailureCode.INTERNAL,
          "%d rows were sent to PostgreSQL and %d arrived.".formatted(staged, copy.rows()));
    }
    rejects.check(read);
    checkEmpty();
    return joined;
  }

  /** Adds the record that the source is at to the rows, or says why not. */
  private Reject stage(CopyRows copy, ColumnPlan plan, KeyOrder keys, PlainValues values)
      throws SQLException {
    Reject reject = checkKey(plan);
    if (reject == null && encoding.isPartial()) {
      reject = checkCharacters(copy, plan);
    }
    if (reject != null) {
      return reject;
    }
    if (isDiscarded(plan)) {
      filtered++;
      return null;
    }
    keys.add(records.fields());
    values.add(records.fields());
    return copy.add(records)
        ? null
        : records.rejectCurrent(
            -1, RejectCode.TOO_LONG, "The row has too many long values for a page of 8 kB.");
  }

  /** A character that the database cannot store would end the COPY. */
  private Reject checkCharacters(CopyRows copy, ColumnPlan plan) throws SQLException {
    for (int field : plan.fields()) {
      String value = records.fields().isAscii(field) ? "" : records.fields().text(field);
      if (encoding.isNew(value)) {
        copy.pause();
      }
      int missing = encoding.firstMissing(value);
      if (missing >= 0) {
        return records.rejectCurrent(
            field,
            RejectCode.ENCODING,
            "The field has the character %s, which %s, the encoding of the database, does not have."
                .formatted(ServerEncoding.shown(missing), encoding.name()));
      }
    }
    return null;
  }

  private static void cancel(CopyRows copy, Exception cause) {
    try {
      copy.cancel();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  private boolean isDiscarded(ColumnPlan plan) {
    if (spec.onDrift() == OnDrift.DISCARD_ROW) {
      for (int field : plan.discarded()) {
        if (!records.fields().isNull(field)) {
          return true;
        }
      }
    }
    return false;
  }

  private Reject checkKey(ColumnPlan plan) {
    Fields fields = records.fields();
    for (int field : plan.keyFields()) {
      if (fields.isNull(field) || fields.length(field) == 0) {
        return records.rejectCurrent(
            field, RejectCode.NULL_KEY, "The key column is empty; a row is found by its key.");
      }
    }
    return null;
  }

  private void checkEmpty() {
    if (read == 0 && spec.removesRows() && !spec.allowEmpty()) {
      throw new CaravanException(
          FailureCode.EMPTY_FILE,
          "%s has no records; every row that it would replace in %s would be gone. Allow it with allow_empty."
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
    holdFence();
    connection.rollback();
    SessionSettings.apply(connection);
    dropSecondStaging();
    return result(Outcome.SAME_CONTENT, before, 0, Merge.Counts.NONE, 0, 0, 0);
  }

  private LoadResult merge(
      ColumnPlan plan, Staging staging, PlainValues values, boolean unique, LockedTarget target)
      throws SQLException {
    addColumns(plan);
    new ValueCheck(connection, plan, spec, staging, values, records.columns()).run(rejects);
    long superseded = unique ? 0 : staging.deleteSuperseded();
    boolean complete = rejects.count() == 0 && filtered == 0;
    Merge merge = new Merge(connection, spec, plan, staging, target.maySkip());
    Merge.Counts counts =
        merge.run(read - rejects.count() - filtered - superseded, complete, rejects);
    rejects.check(read);
    long skipped =
        read
            - rejects.count()
            - filtered
            - superseded
            - counts.inserted()
            - counts.updated()
            - counts.settled();
    if (skipped > 0) {
      filtered += skipped;
      warnings.add(target.warning(skipped, spec.target()));
    }
    long moved = target.mayMove() ? merge.absent() - skipped : 0;
    if (moved > 0) {
      warnings.add(target.movedWarning(moved, spec.target()));
    }
    if (spec.mode() == LoadMode.INSERT_ONLY) {
      filtered += counts.settled();
    }
    if (spec.onMissing() == OnMissing.SOFT_DELETE && !(complete && rejects.count() == 0)) {
      warnings.add("MISSING_NOT_MARKED: records were refused, so that none is known to be missing");
    }
    if (spec.setSequences()) {
      warnings.addAll(new Sequences(connection, spec, plan, staging).setBehind());
    }
    return written(plan, counts, superseded);
  }

  private void addColumns(ColumnPlan plan) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : TableDdl.added(spec, plan)) {
        statement.execute(sql);
      }
    }
  }

  private LoadResult written(ColumnPlan plan, Merge.Counts counts, long superseded)
      throws SQLException {
    plan.drift().forEach(change -> warnings.add(change.warning()));
    plan.hiddenNames()
        .forEach(
            name ->
                warnings.add(
                    "HIDDEN_CHARACTER: column '%s' has characters in its name that nobody sees; column_mapping gives it another name"
                        .formatted(name)));
    LoadResult result =
        result(Outcome.LOADED, null, read, counts, superseded, rejects.count(), filtered);
    rejects.write(connection);
    holdFence();
    LoadLedger.write(connection, plan, origin, result);
    dropSecondStaging();
    return result;
  }

  private LoadResult result(
      Outcome outcome,
      UUID sameAs,
      long read,
      Merge.Counts counts,
      long superseded,
      long rejected,
      long filtered) {
    List<String> allWarnings = new ArrayList<>(records.warnings());
    allWarnings.addAll(warnings);
    return new LoadResult(
        origin.loadId(),
        spec.target(),
        outcome,
        sameAs,
        read,
        counts.inserted(),
        counts.updated(),
        spec.mode() == LoadMode.INSERT_ONLY ? 0 : counts.settled(),
        superseded,
        rejected,
        filtered,
        counts.deleted(),
        origin.bytes(),
        Duration.ofNanos(System.nanoTime() - started),
        List.copyOf(allWarnings));
  }
}
