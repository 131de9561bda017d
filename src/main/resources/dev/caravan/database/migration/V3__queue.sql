-- Jobs wait in a queue, run as attempts, each with its own epoch, and survive their node.
--
-- queued without admission: waits. With one: db-scheduler has an execution of that number and gives
-- it to a node. running: a node works on it, and only the attempt of the newest epoch may commit.

ALTER TABLE job
  ADD COLUMN seq          bigint GENERATED ALWAYS AS IDENTITY,
  ADD COLUMN tenant       text NOT NULL DEFAULT 'default',
  ADD COLUMN queue        text NOT NULL DEFAULT 'default',
  ADD COLUMN priority     smallint NOT NULL DEFAULT 0,
  ADD COLUMN route        text,
  ADD COLUMN parameters   jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN connection   text,
  ADD COLUMN target       text,
  ADD COLUMN single       text,
  ADD COLUMN retry_of     uuid REFERENCES job ON DELETE SET NULL,
  ADD COLUMN callback_url text,
  ADD COLUMN max_attempts int NOT NULL DEFAULT 1 CHECK (max_attempts >= 1),
  ADD COLUMN timeout      interval,
  ADD COLUMN run_after    timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN expires_at   timestamptz,
  ADD COLUMN admission    bigint UNIQUE,
  ADD COLUMN epoch        bigint NOT NULL DEFAULT 0;
ALTER TABLE job ALTER COLUMN node DROP NOT NULL;
ALTER TABLE job ALTER COLUMN attempt SET DEFAULT 0;
ALTER TABLE job DROP CONSTRAINT job_failure;
ALTER TABLE job ADD CONSTRAINT job_failure
  CHECK (code IS NULL OR state IN ('failed', 'cancelled'));
ALTER TABLE job ADD CONSTRAINT job_failure_has_code CHECK (state <> 'failed' OR code IS NOT NULL);
ALTER TABLE job ADD CONSTRAINT job_admission
  CHECK (admission IS NULL OR state IN ('queued', 'running'));
COMMENT ON COLUMN job.route IS 'The route that does the work: direct:<route>.';
COMMENT ON COLUMN job.target IS 'One admitted job at a time has it: connection/schema.table.';
COMMENT ON COLUMN job.connection IS 'The database that its loads go to; the fence is there.';
COMMENT ON COLUMN job.single IS 'What if_running asks about: jobs that are the same thing.';

CREATE SEQUENCE job_admission;
CREATE UNIQUE INDEX job_one_per_target ON job (target) WHERE admission IS NOT NULL;
CREATE INDEX job_waiting ON job (queue, tenant, target, priority DESC, seq)
  WHERE state = 'queued' AND admission IS NULL;
CREATE INDEX job_admitted ON job (queue, tenant) WHERE admission IS NOT NULL;
CREATE INDEX job_expires ON job (expires_at) WHERE state = 'queued' AND expires_at IS NOT NULL;
CREATE INDEX job_single ON job (single) WHERE single IS NOT NULL AND state IN ('queued', 'running');

-- Who has which state of which file of a source: while it is here, no second job is launched for it.
-- It goes when the file was moved away, or failed for a reason that may pass.
CREATE TABLE job_source (
  project     text NOT NULL,
  file        text NOT NULL,
  size        bigint NOT NULL,
  modified_at timestamptz NOT NULL,
  job_id      uuid NOT NULL REFERENCES job ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (project, file, size, modified_at)
);
CREATE INDEX job_source_job ON job_source (job_id);

-- One job may load many files, each by a load of its own.
ALTER TABLE job_file ADD COLUMN load_id uuid, ADD COLUMN code text, ADD COLUMN message text;
UPDATE job_file f SET load_id = f.job_id,
    code = CASE WHEN f.status = 'failed' THEN j.code END,
    message = CASE WHEN f.status = 'failed' THEN j.message END
  FROM job j WHERE j.id = f.job_id;

-- Triggers that were accepted: the same key is the same job.
CREATE TABLE idempotency_key (
  tenant         text NOT NULL,
  key            text NOT NULL,
  request_sha256 text NOT NULL,
  job_id         uuid NOT NULL REFERENCES job ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, key)
);

-- How far the running attempt is; a row of its own, so that nothing waits for the job's row.
CREATE TABLE job_progress (
  job_id      uuid PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  epoch       bigint NOT NULL,
  step        text NOT NULL,
  bytes       bigint NOT NULL,
  total_bytes bigint,
  rows        bigint NOT NULL,
  at          timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE job_log (
  job_id  uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  seq     bigint GENERATED ALWAYS AS IDENTITY,
  at      timestamptz NOT NULL,
  node    text NOT NULL,
  level   text NOT NULL,
  message text NOT NULL,
  PRIMARY KEY (job_id, seq)
);

-- Schedules fire on every node; the first to write the instant launches.
CREATE TABLE schedule_fire (
  schedule   text NOT NULL,
  fire_time  timestamptz NOT NULL,
  outcome    text NOT NULL CHECK (outcome IN ('launched', 'skipped')),
  reason     text,
  job_id     uuid REFERENCES job ON DELETE SET NULL,
  node       text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (schedule, fire_time)
);

-- A job as contract 1 shows it; the REST API answers with this column as it is.
CREATE OR REPLACE VIEW job_report AS
SELECT j.id, j.state, j.created_at,
  jsonb_build_object(
    'job_id', j.id, 'kind', j.kind, 'project', j.project, 'status', j.state, 'attempts', j.attempt,
    'created_at', j.created_at, 'started_at', j.started_at, 'completed_at', j.completed_at,
    'error_code', j.code, 'message', j.message, 'queue', j.queue, 'priority', j.priority,
    'retry_of', j.retry_of,
    'progress', (SELECT jsonb_build_object('step', p.step, 'bytes', p.bytes,
        'total_bytes', p.total_bytes, 'rows', p.rows,
        'percent', CASE WHEN p.total_bytes >= p.bytes THEN 100 * p.bytes / nullif(p.total_bytes, 0) END)
      FROM job_progress p WHERE p.job_id = j.id AND p.epoch = j.epoch AND j.state = 'running'),
    'result', (SELECT jsonb_build_object(
        'files', count(*), 'read', coalesce(sum(f.rows_read), 0),
        'inserted', coalesce(sum(f.rows_inserted), 0), 'updated', coalesce(sum(f.rows_updated), 0),
        'unchanged', coalesce(sum(f.rows_unchanged), 0),
        'superseded', coalesce(sum(f.rows_superseded), 0),
        'rejected', coalesce(sum(f.rows_rejected), 0),
        'filtered', coalesce(sum(f.rows_filtered), 0), 'deleted', coalesce(sum(f.rows_deleted), 0))
      FROM job_file f WHERE f.job_id = j.id),
    'file_results', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'filename', f.file, 'load_id', f.load_id, 'table_name', f.table_name, 'status', f.status, 'same_as', f.same_as,
        'inserted', f.rows_inserted, 'updated', f.rows_updated, 'unchanged', f.rows_unchanged,
        'superseded', f.rows_superseded, 'rejected', f.rows_rejected,
        'filtered', f.rows_filtered, 'deleted', f.rows_deleted,
        'unchanged_by', CASE
          WHEN f.status = 'same_content' THEN 'content'
          WHEN f.status = 'loaded' AND f.rows_unchanged > 0 AND f.rows_deleted = 0
            AND f.rows_inserted + f.rows_updated = 0 THEN 'rows' END,
        'warnings', f.warnings, 'moved_at', f.moved_at,
        'error_code', f.code, 'error', f.message) ORDER BY f.file), '[]')
      FROM job_file f WHERE f.job_id = j.id),
    'errors', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'attempt', e.attempt, 'error_code', e.code, 'message', e.message, 'at', e.at) ORDER BY e.id), '[]')
      FROM job_error e WHERE e.job_id = j.id)) AS report
FROM job j;

-- db-scheduler's own table, as its documentation has it for PostgreSQL.
CREATE TABLE scheduled_tasks (
  task_name            text NOT NULL,
  task_instance        text NOT NULL,
  task_data            bytea,
  execution_time       timestamptz NOT NULL,
  picked               boolean NOT NULL,
  picked_by            text,
  last_success         timestamptz,
  last_failure         timestamptz,
  consecutive_failures int,
  last_heartbeat       timestamptz,
  version              bigint NOT NULL,
  priority             smallint,
  PRIMARY KEY (task_name, task_instance)
);
CREATE INDEX scheduled_tasks_due ON scheduled_tasks (picked, priority DESC, execution_time);
CREATE INDEX scheduled_tasks_heartbeat ON scheduled_tasks (last_heartbeat) WHERE picked;
