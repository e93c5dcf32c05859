-- Headlines without labels, and what a fine-tune says of them.

CREATE TABLE scorings (
    scoring_id VARCHAR PRIMARY KEY,
    source VARCHAR NOT NULL,
    location VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    temperature DOUBLE NOT NULL,
    decoding_id VARCHAR NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    headlines_scored BIGINT NOT NULL,
    headlines_known BIGINT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);
COMMENT ON TABLE scorings IS 'Every source of headlines without labels that was scored, by which cell.';
COMMENT ON COLUMN scorings.scoring_id IS 'Identity of the scoring: of the same bytes by the same cell it is the same. Its rejected rows are in rejected_rows under it.';
COMMENT ON COLUMN scorings.source IS 'What people call the source; - is standard input.';
COMMENT ON COLUMN scorings.location IS 'Where the source lies.';
COMMENT ON COLUMN scorings.cell_id IS 'The cell that scored.';
COMMENT ON COLUMN scorings.temperature IS 'Sampling temperature of its probabilities.';
COMMENT ON COLUMN scorings.decoding_id IS 'Identity of top-k, top-p and the seed of the draws.';
COMMENT ON COLUMN scorings.rows_read IS 'Rows read.';
COMMENT ON COLUMN scorings.rows_rejected IS 'Rows that could not be scored; rejected_rows says why.';
COMMENT ON COLUMN scorings.headlines_scored IS 'Texts scored now.';
COMMENT ON COLUMN scorings.headlines_known IS 'Texts that the cell had scored before, in this source or another.';
COMMENT ON COLUMN scorings.started_at IS 'When its latest run started, UTC.';
COMMENT ON COLUMN scorings.finished_at IS 'When it ended, UTC; NULL while it runs, and where it was interrupted.';


CREATE TABLE ledger.scores (
    text_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    temperature DOUBLE NOT NULL,
    decoding_id VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    label VARCHAR NOT NULL CHECK (label IN ('negative', 'neutral', 'positive')),
    p_negative DOUBLE NOT NULL,
    p_neutral DOUBLE NOT NULL,
    p_positive DOUBLE NOT NULL,
    p_unparsed DOUBLE NOT NULL,
    confidence DOUBLE NOT NULL,
    scored_at TIMESTAMP NOT NULL,
    PRIMARY KEY (text_id, cell_id, temperature, decoding_id)
);
COMMENT ON TABLE ledger.scores IS 'What a cell says of a text, once; the view main.scores has the rows of every source.';
COMMENT ON COLUMN ledger.scores.text_id IS 'Identity of the normalised text.';
COMMENT ON COLUMN ledger.scores.cell_id IS 'The cell that scored.';
COMMENT ON COLUMN ledger.scores.temperature IS 'Sampling temperature of the probabilities.';
COMMENT ON COLUMN ledger.scores.decoding_id IS 'Identity of top-k, top-p and the seed of the draws.';
COMMENT ON COLUMN ledger.scores.text IS 'The text.';
COMMENT ON COLUMN ledger.scores.label IS 'The likeliest of the three labels; what is unparsed counts as neutral.';
COMMENT ON COLUMN ledger.scores.p_negative IS 'Probability of sampling negative.';
COMMENT ON COLUMN ledger.scores.p_neutral IS 'Probability of sampling neutral.';
COMMENT ON COLUMN ledger.scores.p_positive IS 'Probability of sampling positive.';
COMMENT ON COLUMN ledger.scores.p_unparsed IS 'Probability of sampling no label.';
COMMENT ON COLUMN ledger.scores.confidence IS 'Probability of the label, neutral with whatever is unparsed.';
COMMENT ON COLUMN ledger.scores.scored_at IS 'When, UTC.';


CREATE TABLE ledger.scored_rows (
    scoring_id VARCHAR NOT NULL,
    row_number BIGINT NOT NULL,
    text_id VARCHAR NOT NULL
);
COMMENT ON TABLE ledger.scored_rows IS 'Which text each row of a scored source holds.';
COMMENT ON COLUMN ledger.scored_rows.scoring_id IS 'The scoring.';
COMMENT ON COLUMN ledger.scored_rows.row_number IS 'The row of the source, from 1.';
COMMENT ON COLUMN ledger.scored_rows.text_id IS 'Identity of the normalised text.';
