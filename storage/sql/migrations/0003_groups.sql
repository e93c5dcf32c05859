-- What tells copies and near copies apart, so that none of them crosses a split, and where rows came from.
-- Columns that an earlier ingestion did not fill are NULL for its rows.

ALTER TABLE sources ADD COLUMN location VARCHAR;
COMMENT ON COLUMN sources.location IS 'Where the source lies: an absolute path, embedded, or hf:ORG/NAME.';
ALTER TABLE sources ADD COLUMN rows_quarantined BIGINT;
COMMENT ON COLUMN sources.rows_quarantined IS 'Rows whose text the source also labels otherwise; quarantine holds them, accepted or not.';

ALTER TABLE headlines ADD COLUMN text_id VARCHAR;
COMMENT ON COLUMN headlines.text_id IS 'Identity of the normalised text, whatever its label.';
ALTER TABLE headlines ADD COLUMN masked_id VARCHAR;
COMMENT ON COLUMN headlines.masked_id IS 'Identity of the text with its numbers masked and its case folded.';

ALTER TABLE snapshot_headlines ADD COLUMN group_id VARCHAR;
COMMENT ON COLUMN snapshot_headlines.group_id IS 'The headlines of the snapshot that are copies or near copies of each other; a split keeps them together.';
ALTER TABLE snapshot_headlines ADD COLUMN agreement BIGINT;
COMMENT ON COLUMN snapshot_headlines.agreement IS 'FinancialPhraseBank: least share of annotators that agree on its label, in per cent; NULL elsewhere.';

ALTER TABLE snapshots ADD COLUMN previous_snapshot_id VARCHAR;
COMMENT ON COLUMN snapshots.previous_snapshot_id IS 'The snapshot before it of the same source, or else the latest that shares a headline; NULL for a first one.';

CREATE TABLE quarantine (
    ingest_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    row_number BIGINT NOT NULL,
    text_id VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    resolution VARCHAR NOT NULL CHECK (resolution IN ('dropped', 'outvoted', 'majority', 'kept'))
);
COMMENT ON TABLE quarantine IS 'Rows whose text the same source also labels otherwise, and what became of them.';
COMMENT ON COLUMN quarantine.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN quarantine.source IS 'The file that the row came from.';
COMMENT ON COLUMN quarantine.row_number IS 'Its row in that file, from 1.';
COMMENT ON COLUMN quarantine.text_id IS 'Identity of the normalised text: rows that contradict each other share it.';
COMMENT ON COLUMN quarantine.text IS 'The text.';
COMMENT ON COLUMN quarantine.label IS 'The label of this row.';
COMMENT ON COLUMN quarantine.resolution IS 'dropped and outvoted rows are rejected, majority and kept ones accepted.';
