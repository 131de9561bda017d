-- Who may call the REST API, and which rows a caller's tenant has.

CREATE TABLE api_key (
  id           uuid PRIMARY KEY,
  tenant       text NOT NULL,
  role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  name         text NOT NULL,
  prefix       text NOT NULL UNIQUE,
  key_sha256   bytea NOT NULL CHECK (octet_length(key_sha256) = 32),
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);
COMMENT ON COLUMN api_key.prefix IS 'The part of the key that finds it; not secret.';
COMMENT ON COLUMN api_key.last_used_at IS 'To the minute.';

-- Pages of a tenant's jobs, the newest first.
CREATE INDEX job_page ON job (tenant, seq DESC);

-- The owner of the tables (queue, loads) sees all rows. The API reads as another role, to which these
-- policies apply: without caravan.tenant it sees none. Views must not read as their owner for it.
ALTER TABLE job ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON job USING (tenant = current_setting('caravan.tenant', true));
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON api_key USING (tenant = current_setting('caravan.tenant', true));
ALTER TABLE job_file ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_job ON job_file USING (EXISTS (SELECT FROM caravan.job j WHERE j.id = job_id));
ALTER TABLE job_error ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_job ON job_error USING (EXISTS (SELECT FROM caravan.job j WHERE j.id = job_id));
ALTER TABLE job_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_job ON job_progress USING (EXISTS (SELECT FROM caravan.job j WHERE j.id = job_id));
ALTER TABLE job_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_job ON job_log USING (EXISTS (SELECT FROM caravan.job j WHERE j.id = job_id));
ALTER VIEW job_report SET (security_invoker = true);
