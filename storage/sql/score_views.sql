-- Headlines without labels: what was said of them, and how that differs from what the cell said on test.

CREATE OR REPLACE VIEW scores AS
SELECT
    scorings.scoring_id,
    scorings.source,
    scored_rows.row_number,
    ledger.scores.text,
    ledger.scores.label,
    ledger.scores.p_negative,
    ledger.scores.p_neutral,
    ledger.scores.p_positive,
    ledger.scores.p_unparsed,
    ledger.scores.confidence,
    cells.model,
    scorings.cell_id,
    scorings.temperature,
    ledger.scores.scored_at,
    ledger.scores.adapter_hash
FROM scorings
JOIN ledger.scored_rows USING (scoring_id)
JOIN ledger.scores
    ON ledger.scores.text_id = scored_rows.text_id
    AND ledger.scores.cell_id = scorings.cell_id
    AND ledger.scores.temperature = scorings.temperature
    AND ledger.scores.decoding_id = scorings.decoding_id
JOIN cells ON cells.cell_id = scorings.cell_id;
COMMENT ON VIEW scores IS 'Every row of every scored source, with what the cell says of it.';
COMMENT ON COLUMN scores.scoring_id IS 'The scoring.';
COMMENT ON COLUMN scores.source IS 'What people call the source; - is standard input.';
COMMENT ON COLUMN scores.row_number IS 'The row of the source, from 1.';
COMMENT ON COLUMN scores.text IS 'The headline.';
COMMENT ON COLUMN scores.label IS 'The likeliest of the three labels; what is unparsed counts as neutral.';
COMMENT ON COLUMN scores.p_negative IS 'Probability of sampling negative.';
COMMENT ON COLUMN scores.p_neutral IS 'Probability of sampling neutral.';
COMMENT ON COLUMN scores.p_positive IS 'Probability of sampling positive.';
COMMENT ON COLUMN scores.p_unparsed IS 'Probability of sampling no label.';
COMMENT ON COLUMN scores.confidence IS 'Probability of the label, neutral with whatever is unparsed.';
COMMENT ON COLUMN scores.model IS 'The base model of the cell.';
COMMENT ON COLUMN scores.cell_id IS 'The cell that scored: the version of the model.';
COMMENT ON COLUMN scores.temperature IS 'Sampling temperature of the probabilities.';
COMMENT ON COLUMN scores.scored_at IS 'When the adapter first scored the text, UTC.';
COMMENT ON COLUMN scores.adapter_hash IS 'Hash of the adapter that scored; NULL where an older version scored. Where it is not that of cells, `fintone withdraw` deletes the answer.';


CREATE OR REPLACE VIEW score_drift AS
WITH on_test AS (
    SELECT
        evaluations.cell_id,
        evaluations.temperature,
        evaluations.decoding_id,
        greatest(p_negative, p_neutral + p_unparsed, p_positive) AS confidence,
        CASE greatest(p_negative, p_neutral + p_unparsed, p_positive)
            WHEN p_neutral + p_unparsed THEN 'neutral'
            WHEN p_negative THEN 'negative'
            ELSE 'positive'
        END AS label
    FROM evaluations
    JOIN cells USING (cell_id)
    JOIN ledger.predictions USING (evaluation_id)
    WHERE evaluations.part = 'test' AND evaluations.split_id = cells.split_id AND evaluations.temperature IS NOT NULL
), measured_on_test AS (
    SELECT
        cell_id,
        temperature,
        decoding_id,
        count(*) AS n,
        unnest(['negative', 'neutral', 'positive', 'confidence']) AS measure,
        unnest([avg((label = 'negative')::INT), avg((label = 'neutral')::INT), avg((label = 'positive')::INT), avg(confidence)]) AS value,
        unnest([var_pop((label = 'negative')::INT), var_pop((label = 'neutral')::INT), var_pop((label = 'positive')::INT), var_pop(confidence)]) AS variance
    FROM on_test
    GROUP BY cell_id, temperature, decoding_id
), measured AS (
    SELECT
        scoring_id,
        count(*) AS n,
        unnest(['negative', 'neutral', 'positive', 'confidence']) AS measure,
        unnest([avg((label = 'negative')::INT), avg((label = 'neutral')::INT), avg((label = 'positive')::INT), avg(confidence)]) AS value,
        unnest([var_pop((label = 'negative')::INT), var_pop((label = 'neutral')::INT), var_pop((label = 'positive')::INT), var_pop(confidence)]) AS variance
    FROM scores
    GROUP BY scoring_id
)
SELECT
    scorings.scoring_id,
    scorings.source,
    scorings.cell_id,
    scorings.temperature,
    measured.measure,
    measured.n,
    measured.value,
    measured_on_test.n AS test_n,
    measured_on_test.value AS test_value,
    measured.value - measured_on_test.value AS difference,
    measured.value - measured_on_test.value
        - 1.959964 * sqrt(measured.variance / measured.n + measured_on_test.variance / measured_on_test.n) AS difference_low,
    measured.value - measured_on_test.value
        + 1.959964 * sqrt(measured.variance / measured.n + measured_on_test.variance / measured_on_test.n) AS difference_high,
    scorings.started_at
FROM scorings
JOIN measured USING (scoring_id)
JOIN measured_on_test
    ON measured_on_test.cell_id = scorings.cell_id
    AND measured_on_test.temperature = scorings.temperature
    AND measured_on_test.decoding_id = scorings.decoding_id
    AND measured_on_test.measure = measured.measure
ORDER BY scorings.started_at, scorings.scoring_id, list_position(['negative', 'neutral', 'positive', 'confidence'], measured.measure);
COMMENT ON VIEW score_drift IS 'How the answers to a scored source differ from those of the same cell on its test part: a row a measure. A test part is often balanced and news is not, so that shares move for that reason too.';
COMMENT ON COLUMN score_drift.scoring_id IS 'The scoring.';
COMMENT ON COLUMN score_drift.source IS 'What people call the source; - is standard input.';
COMMENT ON COLUMN score_drift.cell_id IS 'The cell.';
COMMENT ON COLUMN score_drift.temperature IS 'Sampling temperature of the probabilities.';
COMMENT ON COLUMN score_drift.measure IS 'negative, neutral or positive: the share of that label; confidence: its mean.';
COMMENT ON COLUMN score_drift.n IS 'Rows of the source that were scored.';
COMMENT ON COLUMN score_drift.value IS 'The measure in the source.';
COMMENT ON COLUMN score_drift.test_n IS 'Headlines of the test part.';
COMMENT ON COLUMN score_drift.test_value IS 'The measure on the test part, of the likeliest labels.';
COMMENT ON COLUMN score_drift.difference IS 'value less test_value.';
COMMENT ON COLUMN score_drift.difference_low IS 'Lower end of its 95 % interval: the normal approximation for two independent means.';
COMMENT ON COLUMN score_drift.difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN score_drift.started_at IS 'When the scoring started, UTC.';
