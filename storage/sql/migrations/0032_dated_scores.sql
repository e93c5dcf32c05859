-- When scored headlines were published, what they are about, their true labels, and whether the model learned from them.

ALTER TABLE ledger.scored_rows ADD COLUMN published_at TIMESTAMP;
ALTER TABLE ledger.scored_rows ADD COLUMN instrument VARCHAR;
ALTER TABLE ledger.scored_rows ADD COLUMN true_label VARCHAR;
ALTER TABLE ledger.scored_rows ADD COLUMN in_sample BOOLEAN;
COMMENT ON COLUMN ledger.scored_rows.published_at IS 'When it was published, UTC; NULL where the source does not say, or an older version scored it.';
COMMENT ON COLUMN ledger.scored_rows.instrument IS 'The ticker, ISIN or entity that it is about; NULL where the source does not say.';
COMMENT ON COLUMN ledger.scored_rows.true_label IS 'The label of the source, of score --evaluate; NULL where it has none that is known.';
COMMENT ON COLUMN ledger.scored_rows.in_sample IS 'Whether the cell was trained on the text; NULL where an older version scored it.';
