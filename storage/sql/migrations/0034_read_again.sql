-- A source that is read again and then has other headlines is an ingestion of its own, of the same bytes and settings.

ALTER TABLE sources ADD COLUMN again_of VARCHAR;
COMMENT ON COLUMN sources.again_of IS 'The ingestion of the same bytes and settings that was there before, where the source was read again and had other headlines; else NULL.';
