-- Merged headlines no longer stand in the order of their source.
COMMENT ON COLUMN snapshot_headlines.position IS 'Its place in the snapshot, from 0: in the order of ids, or of the source where every row is kept.';
