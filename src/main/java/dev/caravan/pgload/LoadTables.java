package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The ledger and the rejects: two tables in schema {@code caravan} of the database that is loaded
 * into, because they are written in the load's own transaction.
 */
final class LoadTables {

  static final String SCHEMA = "caravan";

  // Two loads at once may both find the tables missing; the lock lets one create them.
  private static final String CREATE =
      """
      SELECT pg_advisory_xact_lock(hashtextextended('caravan.load', 0));
      CREATE SCHEMA IF NOT EXISTS caravan;
      CREATE TABLE IF NOT EXISTS caravan.load (
        load_id         uuid PRIMARY KEY,
        seq             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        pipeline        text NOT NULL,
        target_schema   text NOT NULL,
        target_table    text NOT NULL,
        file            text NOT NULL,
        content_sha256  text,
        bytes           bigint NOT NULL,
        columns         jsonb NOT NULL,
        drift           jsonb NOT NULL DEFAULT '[]',
        rows_read       bigint NOT NULL,
        rows_inserted   bigint NOT NULL,
        rows_updated    bigint NOT NULL,
        rows_unchanged  bigint NOT NULL,
        rows_superseded bigint NOT NULL,
        rows_rejected   bigint NOT NULL,
        rows_filtered   bigint NOT NULL,
        rows_deleted    bigint NOT NULL,
        loaded_at       timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      -- Tables of an earlier version; on new ones the two columns are there.
      ALTER TABLE caravan.load ADD COLUMN IF NOT EXISTS drift jsonb NOT NULL DEFAULT '[]';
      ALTER TABLE caravan.load ADD COLUMN IF NOT EXISTS rows_filtered bigint NOT NULL DEFAULT 0;
      ALTER TABLE caravan.load DROP CONSTRAINT IF EXISTS load_balances;
      ALTER TABLE caravan.load ADD CONSTRAINT load_balances CHECK (rows_read = rows_inserted
        + rows_updated + rows_unchanged + rows_superseded + rows_rejected + rows_filtered);
      CREATE INDEX IF NOT EXISTS load_content ON caravan.load (pipeline, content_sha256);
      CREATE INDEX IF NOT EXISTS load_file ON caravan.load (pipeline, file, seq);
      COMMENT ON TABLE caravan.load IS
        'One row for each committed load, written in its transaction; the counts balance.';
      CREATE TABLE IF NOT EXISTS caravan.reject (
        load_id     uuid NOT NULL,
        line        bigint NOT NULL,
        file        text NOT NULL,
        byte_offset bigint,
        column_name text,
        code        text NOT NULL,
        message     text NOT NULL,
        raw         text NOT NULL,
        status      text NOT NULL DEFAULT 'open',
        rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (load_id, line)
      );
      COMMENT ON TABLE caravan.reject IS
        'Records that were refused; those of a failed load are its first ones.';
      ALTER TABLE caravan.reject ADD COLUMN IF NOT EXISTS fixed text;
      ALTER TABLE caravan.reject ADD COLUMN IF NOT EXISTS replay uuid;
      COMMENT ON COLUMN caravan.reject.replay IS
        'The load that the fixed record goes with: it is replayed when the ledger has that load.';
      CREATE TABLE IF NOT EXISTS caravan.reject_columns (
        load_id uuid PRIMARY KEY,
        columns text[] NOT NULL
      );
      COMMENT ON COLUMN caravan.reject.fixed IS 'The record as it should have been; loaded by a replay.';
      COMMENT ON TABLE caravan.reject_columns IS 'The columns of the source whose records were refused.';
      CREATE TABLE IF NOT EXISTS caravan.fence (
        owner     uuid PRIMARY KEY,
        epoch     bigint NOT NULL,
        raised_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      COMMENT ON TABLE caravan.fence IS
        'The newest attempt of each job: only its load may commit.';
      """;

  private LoadTables() {}

  /** Creates what is missing; the caller commits. */
  static void ensure(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      try (ResultSet found =
          statement.executeQuery(
              """
              SELECT to_regclass('caravan.reject_columns') IS NOT NULL AND EXISTS (SELECT FROM pg_attribute
                WHERE attrelid = to_regclass('caravan.load') AND attname = 'rows_filtered')""")) {
        found.next();
        if (found.getBoolean(1)) {
          return;
        }
      }
      statement.execute(CREATE);
    }
  }
}
