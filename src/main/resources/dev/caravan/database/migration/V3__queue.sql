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
  ADD COLUMN target       text,
  ADD COLUMN single       text,
  ADD COLUMN source_key   text,
  ADD COLUMN retry_of     uuid REFERENCES job ON DELETE SET NULL,
  ADD COLUMN callback_url text,
  ADD COLUMN max_attempts int NOT NULL DEFAULT 1 CHECK (max_attempts >= 1),
  ADD COLUMN timeout      interval,
  ADD COLUMN run_after    timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN expires_at   timestamptz,
  ADD COLUMN admission    bigint UNIQUE,
  ADD COLUMN epoch        bigint NOT NULL DEFAULT 0,
  ADD COLUMN cancel_requested_at timestamptz;
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
COMMENT ON COLUMN job.single IS 'What if_running asks about: jobs that are the same thing.';
COMMENT ON COLUMN job.source_key IS
  'The piece of the source that the job stands for; while it has it, no second job is launched.';

CREATE SEQUENCE job_admission;
CREATE UNIQUE INDEX job_one_per_target ON job (target) WHERE admission IS NOT NULL;
CREATE UNIQUE INDEX job_one_per_source ON job (source_key) WHERE source_key IS NOT NULL;
CREATE INDEX job_waiting ON job (queue, tenant, target, priority DESC, seq)
  WHERE state = 'queued' AND admission IS NULL;
CREATE INDEX job_admitted ON job (queue, tenant) WHERE admission IS NOT NULL;
CREATE INDEX job_expires ON job (expires_at) WHERE state = 'queued' AND expires_at IS NOT NULL;
CREATE INDEX job_single ON job (single) WHERE single IS NOT NULL AND state IN ('queued', 'running');

-- Triggers that were accepted: the same key is the same job.
CREATE TABLE idempotency_key (
  tenant         text NOT NULL,
  key            text NOT NULL,
  request_sha256 bytea NOT NULL,
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
