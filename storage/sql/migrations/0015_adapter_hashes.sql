-- Which adapter a cell trained, and which one gave an answer, by the hash of its files.

ALTER TABLE cells ADD COLUMN adapter_hash VARCHAR;
COMMENT ON COLUMN cells.adapter_hash IS 'Hash of the adapter''s files; NULL without an adapter, and of an older one until it is first loaded.';
ALTER TABLE ledger.scores ADD COLUMN adapter_hash VARCHAR;
COMMENT ON COLUMN ledger.scores.adapter_hash IS 'cells.adapter_hash of the adapter that scored; NULL where an older version scored.';
