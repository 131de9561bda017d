-- What follows from the end or the retry of a sync is written by its observer, in the same transaction:
-- the core's table of jobs has no triggers of a contract.
DROP TRIGGER sync_retried ON job;
DROP TRIGGER sync_ended ON job;
DROP FUNCTION sync_retried();
DROP FUNCTION sync_ended();
