-- Effects outside PostgreSQL. An entry is written in the transaction that ends its job, together with
-- an execution of db-scheduler (task outbox, instance = the entry's id) by which some node finds it.

CREATE TABLE outbox (
  id         uuid PRIMARY KEY,
  job_id     uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  kind       text NOT NULL,
  payload    jsonb NOT NULL,
  state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'given_up')),
  attempts   int NOT NULL DEFAULT 0,
  retries    int NOT NULL DEFAULT 0,
  soon       int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at   timestamptz,
  CONSTRAINT outbox_end CHECK ((ended_at IS NOT NULL) = (state <> 'pending'))
);
CREATE INDEX outbox_job ON outbox (job_id);
COMMENT ON COLUMN outbox.attempts IS 'All of them, also those before a redelivery was asked for.';
COMMENT ON COLUMN outbox.retries IS 'Places in the retry schedule that are used up.';
COMMENT ON COLUMN outbox.soon IS 'As retries, of the short schedule for who says to be ready soon.';

-- What came of each attempt; of each entry the newest hundred.
CREATE TABLE outbox_attempt (
  outbox_id   uuid NOT NULL REFERENCES outbox ON DELETE CASCADE,
  attempt     int NOT NULL,
  at          timestamptz NOT NULL,
  elapsed     interval NOT NULL,
  node        text NOT NULL,
  outcome     text NOT NULL CHECK (outcome IN ('done', 'retry', 'soon', 'final')),
  status_code int,
  error       text,
  PRIMARY KEY (outbox_id, attempt)
);
