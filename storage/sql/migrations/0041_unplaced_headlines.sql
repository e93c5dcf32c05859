-- A scored headline that the model's own study had, and put in no part, is not news since that study.

UPDATE ledger.scored_rows SET part = 'unplaced'
FROM (
    SELECT DISTINCT scorings.scoring_id, headlines.text_id
    FROM scorings
    JOIN cells USING (cell_id)
    JOIN snapshot_headlines USING (snapshot_id)
    JOIN headlines USING (headline_id)
) AS own
WHERE own.scoring_id = scored_rows.scoring_id AND own.text_id = scored_rows.text_id AND scored_rows.part IS NULL;
COMMENT ON COLUMN ledger.scored_rows.part IS 'The part of the split of the cell that holds the text: train, test or validation, the first of these; unplaced where its study had the text, in no part; NULL where it is new.';
COMMENT ON COLUMN accuracy_drops.n IS 'Fresh headlines with a known label so far, each once: those that the study of the cell did not have.';
