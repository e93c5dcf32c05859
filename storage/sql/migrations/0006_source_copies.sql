-- What a source says of a snapshot that another source made: how often it holds a headline, and when it was last met.

CREATE TABLE source_copies (
    ingest_id VARCHAR NOT NULL,
    headline_id VARCHAR NOT NULL,
    copies BIGINT NOT NULL,
    PRIMARY KEY (ingest_id, headline_id)
);
COMMENT ON TABLE source_copies IS 'Headlines that a source holds another number of times than the source that made their snapshot first.';
COMMENT ON COLUMN source_copies.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN source_copies.headline_id IS 'The headline.';
COMMENT ON COLUMN source_copies.copies IS 'Rows of this source that the headline stands for.';

ALTER TABLE sources ADD COLUMN last_met_at TIMESTAMP;
COMMENT ON COLUMN sources.last_met_at IS 'When the source was last found with these bytes and read with these settings, UTC; NULL if only once.';
