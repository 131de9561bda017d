package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * A second COPY beside that of the load, on a connection and a thread of its own, so that two
 * PostgreSQL processes take the rows of a large source. It fills an unlogged table that all
 * sessions see; the load's staging table then becomes a part of it, and the merge stays one
 * statement.
 *
 * <p>It takes what is offered while it keeps up. A pool without a free connection only means that
 * nothing is taken. What a killed load leaves behind the next one {@link #sweep sweeps}.
 */
final class SecondStream {

  private static final int MAX_QUEUED = 8;
  private static final int MAX_CHUNK_BYTES = 1 << 20;
  private static final String PREFIX = "staging_";

  private final DataSource source;
  private final String session;
  private final String attempt;
  private final ColumnPlan plan;

  /** Whole rows; an empty one ends the stream. */
  private final BlockingQueue<Chunk> chunks = new ArrayBlockingQueue<>(MAX_QUEUED);

  private final BlockingQueue<byte[]> free = new ArrayBlockingQueue<>(MAX_QUEUED + 1);
  private final FutureTask<Long> copying = new FutureTask<>(this::copy);
  private final Thread thread = new Thread(copying, "copy-2");
  private volatile boolean ready;
  private volatile Connection connection;

  private static final class Chunk {
    private final byte[] bytes;
    private final int length;

    Chunk(byte[] bytes, int length) {
      this.bytes = bytes;
      this.length = length;
    }
  }

  private SecondStream(DataSource source, LoadOrigin origin, ColumnPlan plan) {
    this.source = source;
    this.session = Loader.session(origin);
    this.attempt = attempt(origin);
    this.plan = plan;
  }

  static SecondStream start(DataSource source, LoadOrigin origin, ColumnPlan plan) {
    SecondStream stream = new SecondStream(source, origin, plan);
    stream.thread.setDaemon(true);
    stream.thread.start();
    return stream;
  }

  /** What the tables of one attempt of a load are called by. */
  static String attempt(LoadOrigin origin) {
    long epoch = origin.fence().map(Fence::epoch).orElse(0L);
    return origin.loadId().toString().replace("-", "") + "_" + epoch;
  }

  private static String name(String attempt) {
    return PREFIX + attempt;
  }

  private static String table(String attempt) {
    return LoadTables.SCHEMA + "." + name(attempt);
  }

  /** Tells other sessions, for as long as the transaction lasts, that the load lives. */
  static void announce(Statement statement, String attempt) throws SQLException {
    statement.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('%s', 0))".formatted(name(attempt)));
  }

  /**
   * Drops the tables of loads that are no more. One that a dead node's session still holds is left
   * to a later load.
   */
  static void sweep(Statement statement) throws SQLException {
    statement.execute(
        """
        DO $$
        DECLARE left_over name;
        BEGIN
          PERFORM set_config('lock_timeout', '200ms', true);
          FOR left_over IN SELECT relname FROM pg_class
            WHERE relnamespace = 'caravan'::regnamespace AND relname ~ '^staging_[0-9a-f]{32}(_[0-9]+)?$'
              AND relowner = current_user::regrole
          LOOP
            IF pg_try_advisory_xact_lock(hashtextextended(left_over, 0)) THEN
              BEGIN
                EXECUTE format('DROP TABLE IF EXISTS caravan.%I', left_over);
              EXCEPTION WHEN lock_not_available THEN
                RAISE NOTICE '% is still in use', left_over;
              END;
            END IF;
          END LOOP;
        END $$""");
  }

  private long copy() throws SQLException, InterruptedException {
    try (Connection own = source.getConnection()) {
      connection = own;
      own.setAutoCommit(false);
      try (Statement statement = own.createStatement()) {
        begin(own, statement);
        statement.execute(
            "CREATE UNLOGGED TABLE %s %s".formatted(table(attempt), Staging.columns(plan)));
        own.commit(); // all sessions see it
        begin(own, statement);
      }
      CopyIn copy =
          own.unwrap(PGConnection.class).getCopyAPI().copyIn(CopyRows.sql(table(attempt), ""));
      try {
        ready = true;
        for (Chunk chunk = chunks.take(); chunk.length > 0; chunk = chunks.take()) {
          copy.writeToCopy(chunk.bytes, 0, chunk.length);
          free.offer(chunk.bytes);
        }
        long rows = copy.endCopy();
        own.commit();
        return rows;
      } finally {
        if (copy.isActive()) {
          copy.cancelCopy();
        }
      }
    }
  }

  private void begin(Connection own, Statement statement) throws SQLException {
    SessionSettings.apply(own);
    statement.execute("SET LOCAL application_name = '" + session + "'");
  }

  /**
   * Takes a chunk of whole rows, if there is room.
   *
   * @return another buffer to go on with; empty when nothing was taken
   * @throws SQLException what went wrong with chunks taken before
   */
  Optional<byte[]> offer(byte[] bytes, int length) throws SQLException {
    if (copying.isDone()) {
      rows();
    }
    if (!ready || bytes.length > MAX_CHUNK_BYTES || !chunks.offer(new Chunk(bytes, length))) {
      return Optional.empty();
    }
    byte[] other = free.poll();
    return Optional.of(other == null ? new byte[bytes.length] : other);
  }

  /**
   * Ends the stream.
   *
   * @return rows that PostgreSQL has confirmed
   */
  long finish() throws SQLException {
    if (!ready) {
      cancel(); // it never had a row
      return 0;
    }
    try {
      while (!copying.isDone() && !chunks.offer(new Chunk(new byte[0], 0), 1, TimeUnit.SECONDS)) {
        // a stream that fails takes no more chunks
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      cancel();
      throw new SQLException("interrupted while the second COPY ended", e);
    }
    return rows();
  }

  private long rows() throws SQLException {
    try {
      return copying.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException cause) {
        throw cause;
      }
      throw new IllegalStateException("the second COPY ended", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted while the second COPY ended", e);
    }
  }

  /**
   * Makes the load's own staging table a part of this one.
   *
   * @return the name of both together, for SQL
   */
  static String join(Statement statement, String attempt) throws SQLException {
    statement.execute("ALTER TABLE " + Staging.OWN + " INHERIT " + table(attempt));
    return table(attempt);
  }

  /** Drops the table, and the load's own staging with it. */
  static void drop(Statement statement, String attempt) throws SQLException {
    statement.execute("DROP TABLE IF EXISTS " + table(attempt) + " CASCADE");
  }

  /** Gives up; returns when the thread has ended, whatever it waited for. */
  void cancel() throws SQLException {
    copying.cancel(true);
    Connection own = connection;
    if (own != null) {
      own.abort(Runnable::run);
    }
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
