-- When headlines were published, what they are about and by whom, and the row of the source behind each.

ALTER TABLE headlines ADD COLUMN published_at TIMESTAMP;
ALTER TABLE headlines ADD COLUMN instrument VARCHAR;
ALTER TABLE headlines ADD COLUMN publisher VARCHAR;
COMMENT ON COLUMN headlines.published_at IS 'When it was published, UTC, as the first row that says so has it; NULL where no source does.';
COMMENT ON COLUMN headlines.instrument IS 'The ticker, ISIN or entity that it is about; NULL where no source says so.';
COMMENT ON COLUMN headlines.publisher IS 'Who published it, as the first row that says so has it; NULL where no source does.';
COMMENT ON COLUMN headlines.headline_id IS 'Identity of the headline, from its normalised text and its label, and from its instrument and day where it has them (data.identity).';

ALTER TABLE sources ADD COLUMN rows_added BIGINT;
ALTER TABLE sources ADD COLUMN published_at_column VARCHAR;
ALTER TABLE sources ADD COLUMN instrument_column VARCHAR;
ALTER TABLE sources ADD COLUMN publisher_column VARCHAR;
ALTER TABLE sources ADD COLUMN extra_columns VARCHAR[];
COMMENT ON COLUMN sources.rows_added IS 'Rows that those with a label for each of several entities became beyond their number: rows_read and rows_added are what was accepted, merged, rejected and left out. NULL where an older version ingested.';
COMMENT ON COLUMN sources.published_at_column IS 'The column of the time of publication; NULL where there is none.';
COMMENT ON COLUMN sources.instrument_column IS 'The column of the instrument; NULL where there is none.';
COMMENT ON COLUMN sources.publisher_column IS 'The column of the publisher; NULL where there is none.';
COMMENT ON COLUMN sources.extra_columns IS 'The other columns, which accepted_rows.extra holds; NULL where an older version ingested.';

CREATE TABLE ledger.accepted_rows (
    ingest_id VARCHAR NOT NULL,
    headline_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    row_number BIGINT NOT NULL,
    published_at TIMESTAMP,
    instrument VARCHAR,
    publisher VARCHAR,
    extra JSON
);
COMMENT ON TABLE ledger.accepted_rows IS 'Every accepted row, copies too; the view main.accepted_rows adds text and label.';
COMMENT ON COLUMN ledger.accepted_rows.ingest_id IS 'The ingestion that accepted it.';
COMMENT ON COLUMN ledger.accepted_rows.headline_id IS 'Its headline.';
COMMENT ON COLUMN ledger.accepted_rows.source IS 'The file that it came from.';
COMMENT ON COLUMN ledger.accepted_rows.row_number IS 'Its row in the file, from 1; several have it where a row has a label for each of several entities.';
COMMENT ON COLUMN ledger.accepted_rows.published_at IS 'When it was published, UTC; NULL where it does not say.';
COMMENT ON COLUMN ledger.accepted_rows.instrument IS 'What it is about; NULL where it does not say.';
COMMENT ON COLUMN ledger.accepted_rows.publisher IS 'Who published it; NULL where it does not say.';
COMMENT ON COLUMN ledger.accepted_rows.extra IS 'The other columns by name, as JSON; NULL where there are none.';
