-- Labels of other shapes than a word in a column, rows that the settings leave out, and what is kept of a refused source.

ALTER TABLE sources ADD COLUMN label_shape VARCHAR;
ALTER TABLE sources ADD COLUMN rows_left_out BIGINT;
COMMENT ON COLUMN sources.label_shape IS 'How the label was read where it is no word in one column: scores, one column for each label, or several annotators; else NULL.';
COMMENT ON COLUMN sources.rows_left_out IS 'Rows that the label map or the level of agreement left out; left_out_rows holds them. NULL where an older version ingested, which left none out.';
COMMENT ON COLUMN snapshot_headlines.agreement IS 'Least share of annotators that agree on its label, in per cent, of FinancialPhraseBank and of several annotators; NULL elsewhere.';

CREATE TABLE left_out_rows (
    ingest_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    row_number BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR NOT NULL
);
COMMENT ON TABLE left_out_rows IS 'Rows that the settings left out: the label map has null for their label, or too few annotators agree. They count neither as read nor as rejected for data.max_rejected.';
COMMENT ON COLUMN left_out_rows.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN left_out_rows.source IS 'The file that the row came from.';
COMMENT ON COLUMN left_out_rows.row_number IS 'Its row in the file, from 1.';
COMMENT ON COLUMN left_out_rows.reason IS 'The label that is left out, or how the annotators disagree.';
COMMENT ON COLUMN left_out_rows.raw IS 'The row as it was read.';

CREATE TABLE ledger.refused_rows (
    ingest_id VARCHAR NOT NULL,
    location VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    row_number BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    refused_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE ledger.refused_rows IS 'Rejected rows of sources of which nothing was ingested; the view main.refused_rows shows them.';
COMMENT ON COLUMN ledger.refused_rows.ingest_id IS 'Identity of the bytes and the settings that read them.';
COMMENT ON COLUMN ledger.refused_rows.location IS 'Where the source is: an absolute path, or hf:ORG/NAME. It has the rows of its latest refusal alone.';
COMMENT ON COLUMN ledger.refused_rows.source IS 'The file that the row came from.';
COMMENT ON COLUMN ledger.refused_rows.row_number IS 'Its row in the file, from 1.';
COMMENT ON COLUMN ledger.refused_rows.reason IS 'Every reason why it was rejected.';
COMMENT ON COLUMN ledger.refused_rows.raw IS 'The row as it was read.';
COMMENT ON COLUMN ledger.refused_rows.message IS 'Why the source was refused.';
COMMENT ON COLUMN ledger.refused_rows.refused_at IS 'When, UTC.';
