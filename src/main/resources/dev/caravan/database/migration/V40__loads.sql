-- A job has any number of loads, one after another or side by side. Each is a row from its beginning;
-- what people call it (a file is one kind of label) does not say which load it is.

ALTER TABLE job_file RENAME TO job_load;
ALTER TABLE job_load RENAME COLUMN file TO label;
UPDATE job_load SET load_id = gen_random_uuid() WHERE load_id IS NULL;
ALTER TABLE job_load
  DROP CONSTRAINT job_file_pkey,
  ADD PRIMARY KEY (job_id, load_id),
  DROP CONSTRAINT job_file_status_check,
  ADD CONSTRAINT job_load_status CHECK (status IN ('running', 'loaded', 'same_content', 'skipped', 'failed', 'cancelled')),
  ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY,
  ADD COLUMN step text,
  ADD COLUMN rows bigint,
  ADD COLUMN bytes bigint,
  ADD COLUMN total_bytes bigint,
  ADD COLUMN started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN ended_at timestamptz;
UPDATE job_load l SET started_at = coalesce(j.started_at, j.created_at), ended_at = j.completed_at
  FROM job j WHERE j.id = l.job_id;
ALTER TABLE job_load RENAME CONSTRAINT job_file_balances TO job_load_balances;
ALTER INDEX job_file_history RENAME TO job_load_history;
COMMENT ON COLUMN job_load.load_id IS 'Of the ledger in the target; the same in each attempt of the job.';
COMMENT ON COLUMN job_load.step IS 'While it runs: what it does, and how far it is.';

-- A job as contract 1 shows it; the REST API answers with this column as it is. file_results are the
-- same loads in the words of contract 1.
CREATE OR REPLACE VIEW job_report WITH (security_invoker = true) AS
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
        'files', count(*),
        'files_skipped', count(*) FILTER (WHERE l.status = 'skipped'), 'read', coalesce(sum(l.rows_read), 0),
        'inserted', coalesce(sum(l.rows_inserted), 0), 'updated', coalesce(sum(l.rows_updated), 0),
        'unchanged', coalesce(sum(l.rows_unchanged), 0),
        'superseded', coalesce(sum(l.rows_superseded), 0),
        'rejected', coalesce(sum(l.rows_rejected), 0),
        'filtered', coalesce(sum(l.rows_filtered), 0), 'deleted', coalesce(sum(l.rows_deleted), 0))
      FROM job_load l WHERE l.job_id = j.id AND l.status <> 'running'),
    'file_results', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'filename', l.label, 'load_id', l.load_id, 'table_name', l.table_name, 'status', l.status,
        'same_as', l.same_as,
        'inserted', l.rows_inserted, 'updated', l.rows_updated, 'unchanged', l.rows_unchanged,
        'superseded', l.rows_superseded, 'rejected', l.rows_rejected,
        'filtered', l.rows_filtered, 'deleted', l.rows_deleted,
        'unchanged_by', CASE
          WHEN l.status = 'same_content' THEN 'content'
          WHEN l.status = 'loaded' AND l.rows_unchanged > 0 AND l.rows_deleted = 0
            AND l.rows_inserted + l.rows_updated = 0 THEN 'rows' END,
        'warnings', l.warnings, 'moved_at', l.moved_at,
        'error_code', l.code, 'error', l.message) ORDER BY l.label, l.seq), '[]')
      FROM job_load l WHERE l.job_id = j.id AND l.status <> 'running'),
    'loads', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'load_id', l.load_id, 'label', l.label, 'table', l.table_name, 'status', l.status,
        'started_at', l.started_at, 'ended_at', l.ended_at,
        'progress', CASE WHEN l.status = 'running' THEN jsonb_build_object('step', l.step,
          'rows', coalesce(l.rows, 0), 'bytes', coalesce(l.bytes, 0), 'total_bytes', l.total_bytes,
          'percent', CASE WHEN l.total_bytes >= l.bytes THEN 100 * l.bytes / nullif(l.total_bytes, 0) END)
          END,
        'read', l.rows_read, 'inserted', l.rows_inserted, 'updated', l.rows_updated,
        'unchanged', l.rows_unchanged, 'superseded', l.rows_superseded, 'rejected', l.rows_rejected,
        'filtered', l.rows_filtered, 'deleted', l.rows_deleted, 'same_as', l.same_as,
        'warnings', l.warnings, 'error_code', l.code, 'error', l.message) ORDER BY l.seq), '[]')
      FROM job_load l WHERE l.job_id = j.id),
    'errors', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'attempt', e.attempt, 'error_code', e.code, 'message', e.message, 'at', e.at) ORDER BY e.id), '[]')
      FROM job_error e WHERE e.job_id = j.id)) AS report
FROM job j;
