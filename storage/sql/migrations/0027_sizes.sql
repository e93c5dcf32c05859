-- What a rung of the ladder costs: bytes on disk, beside the seconds that baselines now record, too.

ALTER TABLE cells ADD COLUMN size_bytes BIGINT;
COMMENT ON COLUMN cells.size_bytes IS 'Bytes on disk that it needs to answer: a base model''s weights, a fine-tune''s files and, of an adapter, its base model''s weights, a file that would hold the fitted baseline. NULL where an older version did not record it.';
COMMENT ON COLUMN cells.train_seconds IS 'Seconds of training or, for a baseline, of fitting; NULL for an untouched base.';
