-- A scored headline that the model's own study had, and put in no part, is not news since that study.

UPDATE ledger.scored_rows SET part = 'unplaced'
FROM (
    WITH known AS (
        SELECT snapshot_id, text_id, text FROM snapshot_headlines JOIN headlines USING (headline_id)
        UNION
        SELECT snapshot_id, text_id, text FROM sources JOIN quarantine USING (ingest_id)
    ),
    answered AS (
        SELECT DISTINCT scorings.scoring_id, cells.snapshot_id, scored_rows.text_id, scores.text
        FROM scorings
        JOIN cells USING (cell_id)
        JOIN ledger.scored_rows USING (scoring_id)
        LEFT JOIN ledger.scores
            ON scores.text_id = scored_rows.text_id
            AND scores.cell_id = scorings.cell_id
            AND scores.temperature = scorings.temperature
            AND scores.decoding_id = scorings.decoding_id
        WHERE scored_rows.part IS NULL
    )
    SELECT scoring_id, answered.text_id
    FROM answered
    SEMI JOIN known ON known.snapshot_id = answered.snapshot_id AND known.text_id = answered.text_id
    UNION -- the identity of a text with a context has the context in it
    SELECT scoring_id, answered.text_id
    FROM answered
    SEMI JOIN known ON known.snapshot_id = answered.snapshot_id AND known.text = answered.text
) AS own
WHERE own.scoring_id = scored_rows.scoring_id AND own.text_id = scored_rows.text_id AND scored_rows.part IS NULL;
COMMENT ON COLUMN ledger.scored_rows.part IS 'The part of the split of the cell that holds the text: train, test or validation, the first of these; unplaced where its study had the text, in no part; NULL where it is new.';
COMMENT ON COLUMN accuracy_drops.n IS 'Fresh headlines with a known label so far, each once: those that the study of the cell did not have. An older version also counted those that it had in no part.';
