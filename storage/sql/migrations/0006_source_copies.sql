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

CREATE TABLE source_visits (
    location VARCHAR NOT NULL,
    ingest_id VARCHAR NOT NULL,
    met_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE source_visits IS 'What each place held when it was visited; a visit that finds what the one before it found is not added.';
COMMENT ON COLUMN source_visits.location IS 'The place: an absolute path, embedded, or hf:ORG/NAME.';
COMMENT ON COLUMN source_visits.ingest_id IS 'The ingestion of what it held.';
COMMENT ON COLUMN source_visits.met_at IS 'When, UTC.';

INSERT INTO source_visits (location, ingest_id, met_at)
SELECT location, ingest_id, ingested_at FROM sources WHERE location IS NOT NULL;

COMMENT ON COLUMN snapshot_headlines.copies IS 'Rows that it stands for in the source that made the snapshot; source_copies has those of other sources that differ.';
