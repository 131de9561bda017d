-- What must hold however the nodes, the network and PostgreSQL fail: each query returns no row.
--
-- Those marked "always" hold at every moment, the others once all jobs have ended.
-- torture.file has each file that was offered (its table, how many rows), torture.loaded the rows of
-- all target tables, torture.moved what is in the done folders, torture.history every state that a
-- job was in, torture.cancelled the jobs of which somebody was told that they are cancelled.

-- ledger double (always)
SELECT file, count(*) FROM caravan.load WHERE file IN (SELECT file FROM torture.file)
GROUP BY file HAVING count(*) > 1;

-- row loaded more than once (always)
SELECT target, id, count(*) FROM torture.loaded GROUP BY target, id HAVING count(*) > 1 LIMIT 20;

-- file without all of its rows
SELECT f.file, f.rows, coalesce(l.rows, 0) AS loaded
FROM torture.file f
LEFT JOIN (SELECT file, count(*) AS rows FROM torture.loaded GROUP BY file) l USING (file)
WHERE coalesce(l.rows, 0) <> f.rows;

-- half of a file (always)
SELECT f.file, f.rows, l.rows AS loaded
FROM torture.file f JOIN (SELECT file, count(*) AS rows FROM torture.loaded GROUP BY file) l USING (file)
WHERE l.rows <> f.rows;

-- rows of a job that is not completed
SELECT l.load_id, l.file, j.state, j.code
FROM caravan.load l LEFT JOIN caravan.job j ON j.id = l.load_id
WHERE j.state IS DISTINCT FROM 'completed';

-- accounting (always)
SELECT l.load_id, l.file, f.rows, l.rows_read, l.rows_inserted, l.rows_rejected, r.status, r.rows_read
FROM caravan.load l JOIN torture.file f USING (file)
LEFT JOIN caravan.job_load r ON r.job_id = l.load_id AND r.label = l.file
WHERE (l.rows_read, l.rows_inserted, l.rows_rejected) IS DISTINCT FROM (f.rows, f.rows, 0)
   OR (r.status = 'loaded' AND (r.rows_read, r.rows_inserted) IS DISTINCT FROM (l.rows_read, l.rows_inserted));

-- staging left
SELECT oid::regclass FROM pg_class
WHERE relnamespace = 'caravan'::regnamespace AND relname LIKE 'staging\_%';

-- job without an end
SELECT id, state, node, attempt, admission FROM caravan.job WHERE state IN ('queued', 'running')
UNION ALL
SELECT NULL, task_name || ' ' || task_instance, picked_by, consecutive_failures, NULL
FROM caravan.scheduled_tasks WHERE task_name = 'attempt';

-- illegal history (always)
SELECT * FROM (
  SELECT job_id, state, epoch,
    lag(state) OVER h AS state_before, lag(epoch) OVER h AS epoch_before
  FROM torture.history WINDOW h AS (PARTITION BY job_id ORDER BY seq)) moves
WHERE (state_before IS NULL AND state <> 'queued' AND epoch > 0) -- 0: a failed poll, which nobody queued
   OR state_before IN ('completed', 'failed', 'cancelled')
   OR (state_before = 'queued' AND state NOT IN ('running', 'cancelled'))
   OR (state = 'running' AND epoch <= epoch_before)
   OR epoch < epoch_before;

-- file moved without ledger (always)
SELECT m.file FROM torture.moved m
WHERE NOT EXISTS (SELECT FROM caravan.load l WHERE l.file = m.file);

-- noted as moved, and is not (always)
SELECT job_id, label, moved_at FROM caravan.job_load
WHERE moved_at < clock_timestamp() - interval '20 s' AND label NOT IN (SELECT file FROM torture.moved);

-- ledger without file action
SELECT l.load_id, l.file, r.status, r.moved_at
FROM caravan.load l JOIN torture.file f USING (file)
LEFT JOIN caravan.job_load r ON r.job_id = l.load_id AND r.label = l.file
WHERE r.moved_at IS NULL OR l.file NOT IN (SELECT file FROM torture.moved);

-- effect of what did not happen (always)
SELECT o.id, o.kind, o.state, o.job_id FROM caravan.outbox o JOIN caravan.job j ON j.id = o.job_id
WHERE (o.kind = 'move_file' AND NOT EXISTS (
    -- a poll that was late launches a second job of the file, which finds the content loaded
    SELECT FROM caravan.job_load r JOIN caravan.load l ON l.load_id = coalesce(r.same_as, r.job_id)
    WHERE r.job_id = o.job_id))
   OR (o.kind = 'webhook' AND j.completed_at IS NULL);

-- effect that does not happen
SELECT o.id, o.kind, o.state, o.attempts FROM caravan.outbox o WHERE o.state <> 'done'
UNION ALL
SELECT j.id, 'callback', 'missing', 0 FROM caravan.job j
WHERE j.callback_url IS NOT NULL
  AND NOT EXISTS (SELECT FROM caravan.outbox o WHERE o.job_id = j.id AND o.kind = 'webhook');

-- told cancelled, and loaded (always)
SELECT c.job_id, l.file FROM torture.cancelled c JOIN caravan.load l ON l.load_id = c.job_id;
