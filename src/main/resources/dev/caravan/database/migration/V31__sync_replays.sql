-- Corrected rejects of a sync are replayed by a job that repeats a part of it. That is no sync: it has
-- no number, so that no history shows it and its module keeps the state of the sync, not of the part.
DROP TRIGGER sync_retried ON job;
CREATE TRIGGER sync_retried AFTER INSERT ON job FOR EACH ROW
  WHEN (NEW.retry_of IS NOT NULL AND NEW.kind <> 'replay-rejects') EXECUTE FUNCTION sync_retried();
