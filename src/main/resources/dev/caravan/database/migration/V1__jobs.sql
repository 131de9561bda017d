-- Jobs: one row for each run, its files and its errors. "Recorded for good" (contract 1).

CREATE TABLE job (
  id           uuid PRIMARY KEY,
  kind         text NOT NULL,
  project      text NOT NULL,
  state        text NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
  attempt      int NOT NULL DEFAULT 1,
  node         text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at   timestamptz,
  completed_at timestamptz,
  code         text,
  message      text,
  CONSTRAINT job_end CHECK ((completed_at IS NOT NULL) = (state IN ('completed', 'failed', 'cancelled'))),
  CONSTRAINT job_failure CHECK ((code IS NOT NULL) = (state = 'failed'))
);
CREATE INDEX job_newest ON job (created_at DESC);
CREATE INDEX job_open ON job (node) WHERE state = 'running';

CREATE TABLE job_file (
  job_id          uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  file            text NOT NULL,
  project         text NOT NULL,
  size            bigint,
  modified_at     timestamptz,
  table_name      text,
  status          text NOT NULL CHECK (status IN ('running', 'loaded', 'same_content', 'failed')),
  same_as         uuid,
  rows_read       bigint NOT NULL DEFAULT 0,
  rows_inserted   bigint NOT NULL DEFAULT 0,
  rows_updated    bigint NOT NULL DEFAULT 0,
  rows_unchanged  bigint NOT NULL DEFAULT 0,
  rows_superseded bigint NOT NULL DEFAULT 0,
  rows_rejected   bigint NOT NULL DEFAULT 0,
  rows_deleted    bigint NOT NULL DEFAULT 0,
  elapsed         interval,
  warnings        text[] NOT NULL DEFAULT '{}',
  moved_at        timestamptz,
  PRIMARY KEY (job_id, file),
  CONSTRAINT job_file_balances CHECK (rows_read =
    rows_inserted + rows_updated + rows_unchanged + rows_superseded + rows_rejected)
);
CREATE INDEX job_file_history ON job_file (project, file, modified_at);
COMMENT ON COLUMN job_file.same_as IS 'The load that brought the same content before.';
COMMENT ON COLUMN job_file.moved_at IS
  'When the source file was moved away; empty after a load: the move is still to be done.';

CREATE TABLE job_error (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id  uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  attempt int NOT NULL,
  code    text NOT NULL,
  message text NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX job_error_job ON job_error (job_id);

-- The legal moves; JobState in the code says the same, and a test compares the two.
CREATE FUNCTION job_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = OLD.state
     OR (OLD.state = 'queued' AND NEW.state IN ('running', 'cancelled'))
     OR (OLD.state = 'running' AND NEW.state IN ('queued', 'completed', 'failed', 'cancelled')) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'job %: a job cannot go from % to %', OLD.id, OLD.state, NEW.state
    USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER job_move BEFORE UPDATE OF state ON job
  FOR EACH ROW EXECUTE FUNCTION job_move();

-- A job as contract 1 shows it; the REST API answers with this column as it is.
CREATE VIEW job_report AS
SELECT j.id, j.state, j.created_at,
  jsonb_build_object(
    'job_id', j.id, 'kind', j.kind, 'project', j.project, 'status', j.state, 'attempts', j.attempt,
    'created_at', j.created_at, 'started_at', j.started_at, 'completed_at', j.completed_at,
    'error_code', j.code, 'message', j.message,
    'result', (SELECT jsonb_build_object(
        'files', count(*), 'read', coalesce(sum(f.rows_read), 0),
        'inserted', coalesce(sum(f.rows_inserted), 0), 'updated', coalesce(sum(f.rows_updated), 0),
        'unchanged', coalesce(sum(f.rows_unchanged), 0),
        'superseded', coalesce(sum(f.rows_superseded), 0),
        'rejected', coalesce(sum(f.rows_rejected), 0), 'deleted', coalesce(sum(f.rows_deleted), 0))
      FROM job_file f WHERE f.job_id = j.id),
    'file_results', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'filename', f.file, 'table_name', f.table_name, 'status', f.status, 'same_as', f.same_as,
        'inserted', f.rows_inserted, 'updated', f.rows_updated, 'unchanged', f.rows_unchanged,
        'superseded', f.rows_superseded, 'rejected', f.rows_rejected, 'deleted', f.rows_deleted,
        'warnings', f.warnings, 'moved_at', f.moved_at,
        'error', CASE WHEN f.status = 'failed' THEN j.message END) ORDER BY f.file), '[]')
      FROM job_file f WHERE f.job_id = j.id),
    'errors', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'attempt', e.attempt, 'error_code', e.code, 'message', e.message, 'at', e.at) ORDER BY e.id), '[]')
      FROM job_error e WHERE e.job_id = j.id)) AS report
FROM job j;
