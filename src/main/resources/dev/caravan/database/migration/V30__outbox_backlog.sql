-- What is still to happen, or never will: the metrics count it every few seconds.
CREATE INDEX outbox_open ON outbox (kind, state, created_at) WHERE state <> 'done';
