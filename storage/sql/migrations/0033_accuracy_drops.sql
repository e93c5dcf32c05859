-- Which part of the model's own study holds a scored headline, and drops of accuracy on those that none does.

ALTER TABLE ledger.scored_rows ADD COLUMN part VARCHAR;
UPDATE ledger.scored_rows SET part = own.part
FROM (
    SELECT scorings.scoring_id, headlines.text_id, min_by(splits.part, list_position(['train', 'test', 'validation'], splits.part)) AS part
    FROM scorings
    JOIN cells USING (cell_id)
    JOIN splits USING (split_id)
    JOIN headlines USING (headline_id)
    GROUP BY ALL
) AS own
WHERE own.scoring_id = scored_rows.scoring_id AND own.text_id = scored_rows.text_id;
COMMENT ON COLUMN ledger.scored_rows.part IS 'The part of the split of the cell that holds the text: train, test or validation, the first of these; NULL where none does.';

CREATE TABLE accuracy_drops (
    cell_id VARCHAR NOT NULL,
    temperature DOUBLE NOT NULL,
    decoding_id VARCHAR NOT NULL,
    scoring_id VARCHAR NOT NULL,
    n BIGINT NOT NULL,
    accuracy DOUBLE NOT NULL,
    reference DOUBLE NOT NULL,
    test_n BIGINT NOT NULL,
    test_accuracy DOUBLE NOT NULL,
    p_value DOUBLE NOT NULL,
    found_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    PRIMARY KEY (cell_id, temperature, decoding_id)
);
COMMENT ON TABLE accuracy_drops IS 'A cell whose accuracy on fresh headlines dropped beyond noise, as `fintone score --evaluate` found it first.';
COMMENT ON COLUMN accuracy_drops.cell_id IS 'The cell.';
COMMENT ON COLUMN accuracy_drops.temperature IS 'Sampling temperature of its answers.';
COMMENT ON COLUMN accuracy_drops.decoding_id IS 'Identity of top-k, top-p and the seed of the draws.';
COMMENT ON COLUMN accuracy_drops.scoring_id IS 'The scoring after which it was found.';
COMMENT ON COLUMN accuracy_drops.n IS 'Fresh headlines with a known label so far, each once: those in no part of the split of the cell.';
COMMENT ON COLUMN accuracy_drops.accuracy IS 'Share of them whose likeliest label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN accuracy_drops.reference IS 'The accuracy that is held against them: the lower end of the 95 % interval of test_accuracy.';
COMMENT ON COLUMN accuracy_drops.test_n IS 'Headlines of the test part of the cell.';
COMMENT ON COLUMN accuracy_drops.test_accuracy IS 'Share of them whose likeliest label is right.';
COMMENT ON COLUMN accuracy_drops.p_value IS 'Of the hypothesis that the accuracy is the reference or more; holds for any number of looks. A drop is .05 or less.';
COMMENT ON COLUMN accuracy_drops.found_at IS 'When, UTC.';
COMMENT ON COLUMN accuracy_drops.sent_at IS 'When the event of it was sent to a Prefect server, UTC; NULL while none has been.';
