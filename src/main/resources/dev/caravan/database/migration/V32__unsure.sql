ALTER TABLE job ADD COLUMN unsure boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN job.unsure IS
  'An attempt was cut off where its commit may have been done: only the ledger of the target knows.';
