-- Records that a load leaves out on purpose are part of the balance; a file that changed nothing says
-- what told so: its content (the hash), or its rows in the merge. A file that its size and time tell
-- to be loaded (after_load: keep) has no job at all.

ALTER TABLE job_file ADD COLUMN rows_filtered bigint NOT NULL DEFAULT 0;
ALTER TABLE job_file DROP CONSTRAINT job_file_balances;
ALTER TABLE job_file ADD CONSTRAINT job_file_balances CHECK (rows_read = rows_inserted
  + rows_updated + rows_unchanged + rows_superseded + rows_rejected + rows_filtered);

-- A job as contract 1 shows it; the REST API answers with this column as it is.
CREATE OR REPLACE VIEW job_report AS
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
        'rejected', coalesce(sum(f.rows_rejected), 0),
        'filtered', coalesce(sum(f.rows_filtered), 0), 'deleted', coalesce(sum(f.rows_deleted), 0))
      FROM job_file f WHERE f.job_id = j.id),
    'file_results', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'filename', f.file, 'table_name', f.table_name, 'status', f.status, 'same_as', f.same_as,
        'inserted', f.rows_inserted, 'updated', f.rows_updated, 'unchanged', f.rows_unchanged,
        'superseded', f.rows_superseded, 'rejected', f.rows_rejected,
        'filtered', f.rows_filtered, 'deleted', f.rows_deleted,
        'unchanged_by', CASE
          WHEN f.status = 'same_content' THEN 'content'
          WHEN f.status = 'loaded' AND f.rows_unchanged > 0 AND f.rows_deleted = 0
            AND f.rows_inserted + f.rows_updated = 0 THEN 'rows' END,
        'warnings', f.warnings, 'moved_at', f.moved_at,
        'error', CASE WHEN f.status = 'failed' THEN j.message END) ORDER BY f.file), '[]')
      FROM job_file f WHERE f.job_id = j.id),
    'errors', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'attempt', e.attempt, 'error_code', e.code, 'message', e.message, 'at', e.at) ORDER BY e.id), '[]')
      FROM job_error e WHERE e.job_id = j.id)) AS report
FROM job j;
