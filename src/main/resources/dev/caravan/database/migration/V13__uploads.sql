-- Files that callers upload; here, and not on a node's disk, so that any node can load them.

CREATE TABLE upload (
  id           uuid PRIMARY KEY,
  tenant       text NOT NULL,
  filename     text NOT NULL,
  node         text NOT NULL,
  bytes        bigint,
  sha256       text,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  completed_at timestamptz,
  job_id       uuid REFERENCES job ON DELETE SET NULL
);
COMMENT ON COLUMN upload.node IS 'That takes it; another one cannot go on with it.';

CREATE TABLE upload_chunk (
  upload_id uuid NOT NULL REFERENCES upload ON DELETE CASCADE,
  number    int NOT NULL,
  content   bytea NOT NULL,
  PRIMARY KEY (upload_id, number)
);
-- Compressing would cost more time than it saves: pieces are written and read once.
ALTER TABLE upload_chunk ALTER COLUMN content SET STORAGE EXTERNAL;

-- Nobody but the owner of the tables reads them.
ALTER TABLE upload ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_chunk ENABLE ROW LEVEL SECURITY;
