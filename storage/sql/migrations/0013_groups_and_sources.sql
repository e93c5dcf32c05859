-- Near copies are now found whatever their links, @mentions, hashtags, entities and mojibake. The ids of masked texts that
-- this may change are forgotten; the next ingestion computes them again.

UPDATE headlines SET masked_id = NULL WHERE regexp_matches(text, '[^\x00-\x7F]|[@#$&/]|RT|www');
COMMENT ON COLUMN headlines.masked_id IS 'Identity of the text in lower case, with its numbers masked and without links, @mentions, trailing hashtags and the like; NULL from an upgrade to the next ingestion.';

-- An answer that is no label was called neutral, and its probability counted as confidence. Label and confidence now
-- follow from the probabilities, in the view scores; a scoring keeps the rule by which its labels are told.

ALTER TABLE scorings ADD COLUMN unparsed VARCHAR DEFAULT 'label';
COMMENT ON COLUMN scorings.unparsed IS 'label: an answer that is no label is called unparsed. neutral: it counts as neutral.';

ALTER TABLE ledger.scores RENAME TO scores_before;
CREATE TABLE ledger.scores (
    text_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    temperature DOUBLE NOT NULL,
    decoding_id VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    p_negative DOUBLE NOT NULL,
    p_neutral DOUBLE NOT NULL,
    p_positive DOUBLE NOT NULL,
    p_unparsed DOUBLE NOT NULL,
    scored_at TIMESTAMP NOT NULL,
    PRIMARY KEY (text_id, cell_id, temperature, decoding_id)
);
INSERT INTO ledger.scores BY NAME SELECT * EXCLUDE (label, confidence) FROM ledger.scores_before;
DROP TABLE ledger.scores_before;
COMMENT ON TABLE ledger.scores IS 'What a cell says of a text, once; the view main.scores has the rows of every source.';
COMMENT ON COLUMN ledger.scores.text_id IS 'Identity of the normalised text.';
COMMENT ON COLUMN ledger.scores.cell_id IS 'The cell that scored.';
COMMENT ON COLUMN ledger.scores.temperature IS 'Sampling temperature of the probabilities.';
COMMENT ON COLUMN ledger.scores.decoding_id IS 'Identity of top-k, top-p and the seed of the draws.';
COMMENT ON COLUMN ledger.scores.text IS 'The text.';
COMMENT ON COLUMN ledger.scores.p_negative IS 'Probability of sampling negative.';
COMMENT ON COLUMN ledger.scores.p_neutral IS 'Probability of sampling neutral.';
COMMENT ON COLUMN ledger.scores.p_positive IS 'Probability of sampling positive.';
COMMENT ON COLUMN ledger.scores.p_unparsed IS 'Probability of sampling no label.';
COMMENT ON COLUMN ledger.scores.scored_at IS 'When, UTC.';


-- Drift is told between snapshots that were read alike, of one place or with most headlines in common.

ALTER TABLE sources ADD COLUMN reading JSON;
COMMENT ON COLUMN sources.reading IS 'The settings by which labels and texts were read, as JSON; NULL for what an earlier version ingested.';
COMMENT ON COLUMN snapshots.previous_snapshot_id IS 'The snapshot before it: of the same place, read alike if there is one, or else the latest of which it holds half the headlines; NULL for a first one.';
