-- Official splits, headlines that are longer than a base model takes, and answers to truncated ones.

CREATE TABLE given_parts (
    ingest_id VARCHAR NOT NULL,
    headline_id VARCHAR NOT NULL,
    part VARCHAR NOT NULL CHECK (part IN ('train', 'validation', 'test'))
);
COMMENT ON TABLE given_parts IS 'The part of an official split that a source gives its headlines, by a column or by the names of its files; copies of one headline may be in several.';
COMMENT ON COLUMN given_parts.ingest_id IS 'The ingestion of the source.';
COMMENT ON COLUMN given_parts.headline_id IS 'The headline.';
COMMENT ON COLUMN given_parts.part IS 'train, validation or test.';


CREATE TABLE long_headlines (
    split_id VARCHAR NOT NULL,
    headline_id VARCHAR NOT NULL,
    base_model VARCHAR NOT NULL,
    tokens BIGINT NOT NULL,
    bound BIGINT NOT NULL,
    resolution VARCHAR NOT NULL CHECK (resolution IN ('rejected', 'truncated'))
);
COMMENT ON TABLE long_headlines IS 'Headlines that are longer than a base model of a study takes, by the split of the study.';
COMMENT ON COLUMN long_headlines.split_id IS 'The split.';
COMMENT ON COLUMN long_headlines.headline_id IS 'The headline.';
COMMENT ON COLUMN long_headlines.base_model IS 'The base model.';
COMMENT ON COLUMN long_headlines.tokens IS 'Tokens of the headline with its prompt and the longest label.';
COMMENT ON COLUMN long_headlines.bound IS 'Most tokens that the base model takes.';
COMMENT ON COLUMN long_headlines.resolution IS 'rejected: it is in no part of the split. truncated: the base model is given the longest beginning that it takes.';


ALTER TABLE ledger.scores ADD COLUMN is_truncated BOOLEAN DEFAULT false;
COMMENT ON COLUMN ledger.scores.is_truncated IS 'Whether the model answered the longest beginning of the text that it takes, since the text is longer.';
