-- What the calls of contract 2 answer with, and what a module shows of its last syncs.
--
-- A source is fetched, transformed and staged in one pass: "fetched" tells how many records have
-- gone through it so far, and what follows (checks, merge) is what the contract calls transforming.

ALTER TABLE data_ingestion ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_job ON data_ingestion USING (EXISTS (SELECT FROM caravan.job j WHERE j.id = job_id));

-- One query, two views: the API reads as the tenant; whoever may read the view of the contract reads
-- it as its owner, without rights on the tables of jobs (a view in between would read as its reader).
DO $do$
DECLARE report text := $sql$
SELECT s.id, s.job_id, s.tenant, s.inventory_id, s.module_id, s.module_type_id, s.factor_type_id,
  s.provider_type, s.target_type, s.year, s.status, s.status_code,
  CASE s.status_code
    WHEN 500 THEN s.message
    WHEN 200 THEN format('%s inserted, %s updated, %s unchanged, %s rejected',
      s.inserted, s.updated, s.unchanged, s.rejected)
    WHEN 104 THEN format('transforming %s', s.rows)
    WHEN 103 THEN format('fetched %s', s.rows)
    ELSE CASE s.status WHEN 'pending' THEN 'waits for its turn' ELSE 'started' END END AS message,
  CASE WHEN s.status = 'completed' THEN jsonb_build_object('fetched', s.read,
      'transformed', s.read - s.rejected, 'completed', s.inserted + s.updated + s.unchanged)
    WHEN s.rows IS NOT NULL THEN
      jsonb_build_object('fetched', s.rows, 'transformed', s.rows, 'completed', 0) END AS progress,
  s.metadata || jsonb_strip_nulls(jsonb_build_object('job', s.job_id, 'attempts', s.attempt,
    'retry_of', s.retry_of, 'error_code', s.code,
    'warnings', nullif(s.warnings, '[]'))) AS metadata,
  s.created_by, s.started_at, s.completed_at
FROM (
  SELECT d.id, d.job_id, j.tenant, d.inventory_id, d.module_id, d.module_type_id, d.factor_type_id,
    d.provider_type, d.target_type, d.year, d.metadata, d.created_by, j.message, j.code, j.attempt,
    j.started_at, j.completed_at, p.rows,
    CASE j.state WHEN 'queued' THEN 'pending' WHEN 'running' THEN 'processing'
      WHEN 'completed' THEN 'completed' ELSE 'failed' END AS status,
    CASE WHEN j.state = 'completed' THEN 200
      WHEN j.state IN ('failed', 'cancelled') THEN 500
      WHEN j.state = 'running' AND p.step IN ('checking', 'merging') THEN 104
      WHEN j.state = 'running' AND p.rows > 0 THEN 103
      ELSE 102 END AS status_code,
    (SELECT r.id FROM data_ingestion r WHERE r.job_id = j.retry_of) AS retry_of,
    f.read, f.inserted, f.updated, f.unchanged, f.rejected, f.warnings
  FROM data_ingestion d
  JOIN job j ON j.id = d.job_id
  LEFT JOIN job_progress p ON p.job_id = j.id AND p.epoch = j.epoch
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(rows_read), 0) AS read, coalesce(sum(rows_inserted), 0) AS inserted,
      coalesce(sum(rows_updated), 0) AS updated, coalesce(sum(rows_unchanged), 0) AS unchanged,
      coalesce(sum(rows_rejected), 0) AS rejected,
      coalesce(jsonb_agg(to_jsonb(warnings)) FILTER (WHERE cardinality(warnings) > 0), '[]') #> '{0}'
        AS warnings
    FROM job_file WHERE job_id = j.id) f) s
$sql$;
BEGIN
  EXECUTE 'CREATE VIEW sync_report WITH (security_invoker = true) AS ' || report;
  EXECUTE 'CREATE VIEW sync_of_all AS ' || report;
END $do$;

CREATE OR REPLACE VIEW public.data_ingestion_jobs AS
SELECT id, inventory_id, module_id, module_type_id, factor_type_id, provider_type, target_type, year,
  status, status_code, message, metadata, created_by, started_at, completed_at
FROM sync_of_all;

-- A sync that is done again has a number of its own, whichever call did it.
CREATE FUNCTION sync_retried() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO caravan.data_ingestion (job_id, inventory_id, module_id, module_type_id,
    factor_type_id, provider_type, target_type, year, metadata, created_by)
  SELECT NEW.id, inventory_id, module_id, module_type_id, factor_type_id, provider_type, target_type,
    year, metadata, created_by
  FROM caravan.data_ingestion WHERE job_id = NEW.retry_of;
  RETURN NULL;
END $$;
CREATE TRIGGER sync_retried AFTER INSERT ON job FOR EACH ROW
  WHEN (NEW.retry_of IS NOT NULL) EXECUTE FUNCTION sync_retried();

-- However a job ends, by itself, by somebody or because nobody began it: its module shows it, in the
-- same transaction. The table may be the back office's own, so it never keeps a job from ending.
CREATE FUNCTION sync_ended() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
BEGIN
  UPDATE public.modules m SET last_sync_status = coalesce(m.last_sync_status, '{}') ||
    jsonb_build_object(d.provider_type, jsonb_build_object('job_id', d.id,
      'target_type', d.target_type, 'year', d.year,
      'status', CASE NEW.state WHEN 'completed' THEN 'completed' ELSE 'failed' END,
      'at', NEW.completed_at))
  FROM caravan.data_ingestion d WHERE d.job_id = NEW.id AND m.id = d.module_id;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'modules.last_sync_status was not written for job %: %', NEW.id, SQLERRM;
  RETURN NULL;
END $$;
CREATE TRIGGER sync_ended AFTER UPDATE OF state ON job FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND NEW.state IN ('completed', 'failed', 'cancelled'))
  EXECUTE FUNCTION sync_ended();
