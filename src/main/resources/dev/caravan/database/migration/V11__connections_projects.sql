-- What tenants set up by the API: connections, projects, and their secrets.

-- Each change takes the next version, so that nodes see what they have not taken over yet.
CREATE SEQUENCE setup_version;

CREATE TABLE connection (
  id           uuid PRIMARY KEY,
  tenant       text NOT NULL,
  name         text NOT NULL,
  description  text,
  url          text NOT NULL,
  has_password boolean NOT NULL,
  version      bigint NOT NULL DEFAULT nextval('caravan.setup_version'),
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant, name)
);
COMMENT ON COLUMN connection.url IS 'Without its password, which is in caravan.secret.';

CREATE TABLE project (
  id            uuid PRIMARY KEY,
  tenant        text NOT NULL,
  name          text NOT NULL,
  connection_id uuid NOT NULL,
  config        json NOT NULL,
  version       bigint NOT NULL DEFAULT nextval('caravan.setup_version'),
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant, name)
);
CREATE INDEX project_connection ON project (connection_id);
COMMENT ON COLUMN project.config IS 'Its secrets are *** and are in caravan.secret.';
COMMENT ON COLUMN project.connection_id IS 'Of a row of caravan.connection, or of the settings.';

CREATE TABLE secret (
  tenant    text NOT NULL,
  owner     uuid NOT NULL,
  field     text NOT NULL,
  encrypted bytea NOT NULL,
  PRIMARY KEY (owner, field)
);
COMMENT ON TABLE secret IS 'AES-256-GCM, bound to tenant, owner and field; bytes 2 to 5 are the id of the key.';

ALTER TABLE connection ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON connection USING (tenant = current_setting('caravan.tenant', true));
ALTER TABLE project ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON project USING (tenant = current_setting('caravan.tenant', true));
-- Without a policy the role that reads for callers would see nothing even if it might.
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
