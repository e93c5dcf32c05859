-- Headlines without labels: the answers to them, and how those differ from the cell's answers on test.

CREATE OR REPLACE VIEW scores AS
SELECT
    scorings.scoring_id,
    scorings.source,
    scored_rows.row_number,
    ledger.scores.text,
    answered_label(p_negative, p_neutral, p_positive, p_unparsed, scorings.unparsed) AS label,
    ledger.scores.p_negative,
    ledger.scores.p_neutral,
    ledger.scores.p_positive,
    ledger.scores.p_unparsed,
    answered_confidence(p_negative, p_neutral, p_positive, p_unparsed, scorings.unparsed) AS confidence,
    cells.model,
    scorings.cell_id,
    scorings.temperature,
    ledger.scores.scored_at,
    ledger.scores.adapter_hash,
    ledger.scores.text_id,
    is_unparsed(p_negative, p_neutral, p_positive, p_unparsed) AS is_unparsed,
    ledger.scores.is_truncated,
    scored_rows.published_at,
    scored_rows.instrument,
    scored_rows.true_label,
    scored_rows.in_sample,
    scored_rows.part,
    scored_rows.published_at::DATE <= cutoffs.trained_until AS before_cutoff
FROM scorings
JOIN ledger.scored_rows USING (scoring_id)
JOIN ledger.scores
    ON ledger.scores.text_id = scored_rows.text_id
    AND ledger.scores.cell_id = scorings.cell_id
    AND ledger.scores.temperature = scorings.temperature
    AND ledger.scores.decoding_id = scorings.decoding_id
LEFT JOIN cells ON cells.cell_id = scorings.cell_id -- answers stay where a study was deleted
LEFT JOIN ledger.cutoffs AS cutoffs ON cutoffs.cell_id = scorings.cell_id;
COMMENT ON VIEW scores IS 'Every row of every scored source, with the answer of the cell.';
COMMENT ON COLUMN scores.scoring_id IS 'The scoring.';
COMMENT ON COLUMN scores.source IS 'Readable name of the source; - is standard input.';
COMMENT ON COLUMN scores.row_number IS 'The row of the source, from 1.';
COMMENT ON COLUMN scores.text IS 'The headline.';
COMMENT ON COLUMN scores.label IS 'The likeliest of negative, neutral and positive; unparsed where no label is likelier than p_unparsed. With --unparsed neutral: what is unparsed counts as neutral, as in an evaluation.';
COMMENT ON COLUMN scores.p_negative IS 'Probability of sampling negative.';
COMMENT ON COLUMN scores.p_neutral IS 'Probability of sampling neutral.';
COMMENT ON COLUMN scores.p_positive IS 'Probability of sampling positive.';
COMMENT ON COLUMN scores.p_unparsed IS 'Probability of sampling an answer that is not a label.';
COMMENT ON COLUMN scores.confidence IS 'Probability of the label, without p_unparsed; of the likeliest of the three labels where the label is unparsed.';
COMMENT ON COLUMN scores.model IS 'The base model of the cell; NULL where its study was deleted.';
COMMENT ON COLUMN scores.cell_id IS 'The cell that scored: the version of the model.';
COMMENT ON COLUMN scores.temperature IS 'Sampling temperature of the probabilities.';
COMMENT ON COLUMN scores.scored_at IS 'When the adapter first scored the text, UTC.';
COMMENT ON COLUMN scores.adapter_hash IS 'Hash of the adapter that scored; NULL where an older version scored. If it differs from that of cells, `fintone withdraw` deletes the answer.';
COMMENT ON COLUMN scores.text_id IS 'Identity of the normalised text, and of its context where the model is shown one.';
COMMENT ON COLUMN scores.is_truncated IS 'Whether only the beginning of the text was scored, since it is longer than the model takes.';
COMMENT ON COLUMN scores.published_at IS 'When the headline was published, UTC; NULL where the source does not have it.';
COMMENT ON COLUMN scores.instrument IS 'The ticker, ISIN or entity that it is about; NULL where the source does not have it.';
COMMENT ON COLUMN scores.true_label IS 'The label in the source, read by score --evaluate; NULL where it has none that is known.';
COMMENT ON COLUMN scores.in_sample IS 'Whether the cell was trained on the text; NULL where an older version scored it.';
COMMENT ON COLUMN scores.part IS 'The part of the split of the cell that holds the text: train, test or validation, the first of these; unplaced where its study had the text, in no part; NULL where the headline is fresh.';
COMMENT ON COLUMN scores.before_cutoff IS 'Whether it was published on or before base_model.trained_until, so the base model of the cell may have read it when it was pretrained; NULL where either date is unknown.';
COMMENT ON COLUMN scores.is_unparsed IS 'Whether p_unparsed is the largest of the four probabilities, whatever label the scoring gives such an answer.';


CREATE OR REPLACE MACRO drift_values(label, confidence, unparsed) AS [
    {'measure': 'negative', 'value': (label = 'negative')::DOUBLE},
    {'measure': 'neutral', 'value': (label = 'neutral')::DOUBLE},
    {'measure': 'positive', 'value': (label = 'positive')::DOUBLE},
    {'measure': 'unparsed', 'value': unparsed::DOUBLE},
    {'measure': 'confidence', 'value': confidence}
];
COMMENT ON MACRO drift_values IS 'The values of one headline that score_drift measures.';

CREATE OR REPLACE MACRO measured_low(measure, value, variance, n) AS
    CASE WHEN measure = 'confidence' THEN mean_low(value, variance, n) ELSE share_low(value, n) END;
COMMENT ON MACRO measured_low IS 'Lower end of the 95 % interval of what score_drift measures.';

CREATE OR REPLACE VIEW score_drift AS
WITH on_test AS (
    SELECT
        scorer.*,
        unnest(drift_values(
            answered_label(p_negative, p_neutral, p_positive, p_unparsed, unparsed),
            answered_confidence(p_negative, p_neutral, p_positive, p_unparsed, unparsed),
            is_unparsed(p_negative, p_neutral, p_positive, p_unparsed)
        )) AS each
    FROM (SELECT DISTINCT cell_id, temperature, decoding_id, unparsed FROM scorings) AS scorer
    JOIN evaluations USING (cell_id, temperature, decoding_id)
    JOIN cells USING (cell_id)
    JOIN ledger.predictions USING (evaluation_id)
    WHERE evaluations.part = 'test' AND evaluations.split_id = cells.split_id
),
in_source AS (
    SELECT scoring_id, unnest(drift_values(label, confidence, is_unparsed)) AS each
    FROM (SELECT DISTINCT scoring_id, text_id, label, confidence, is_unparsed FROM scores)
),
compared AS (
    SELECT
        scorings.scoring_id,
        scorings.source,
        scorings.cell_id,
        scorings.temperature,
        scorings.started_at,
        own.measure,
        own.n,
        own.value,
        own.variance,
        test.n AS test_n,
        test.value AS test_value,
        test.variance AS test_variance,
        least(own.n, test.n) >= least_for_drift() AS is_known
    FROM scorings
    JOIN (
        SELECT scoring_id, each.measure, count(*) AS n, avg(each.value) AS value, var_samp(each.value) AS variance
        FROM in_source
        GROUP BY ALL
    ) AS own USING (scoring_id)
    JOIN (
        SELECT
            cell_id,
            temperature,
            decoding_id,
            unparsed,
            each.measure,
            count(*) AS n,
            avg(each.value) AS value,
            var_samp(each.value) AS variance
        FROM on_test
        GROUP BY ALL
    ) AS test USING (cell_id, temperature, decoding_id, unparsed, measure)
),
bounded AS (
    SELECT
        *,
        measured_low(measure, value, variance, n) AS low,
        1 - measured_low(measure, 1 - value, variance, n) AS high,
        measured_low(measure, test_value, test_variance, test_n) AS test_low,
        1 - measured_low(measure, 1 - test_value, test_variance, test_n) AS test_high
    FROM compared
),
judged AS (
    SELECT
        *,
        CASE WHEN is_known THEN difference_low(value, low, test_value, test_high) END AS difference_low,
        CASE WHEN is_known THEN -difference_low(test_value, test_low, value, high) END AS difference_high
    FROM bounded
)
SELECT
    scoring_id,
    source,
    cell_id,
    temperature,
    measure,
    n,
    value,
    test_n,
    test_value,
    value - test_value AS difference,
    difference_low,
    difference_high,
    started_at,
    CASE
        WHEN NOT is_known THEN 'unknown'
        WHEN difference_low > 0 THEN 'above'
        WHEN difference_high < 0 THEN 'below'
        ELSE 'no difference'
    END AS verdict,
    CASE
        WHEN is_known THEN NULL
        WHEN n < least_for_drift() THEN format(
            'the source has only {} different headline{}, {} are needed',
            n,
            CASE WHEN n = 1 THEN '' ELSE 's' END,
            least_for_drift()
        )
        ELSE format(
            'the test part has only {} headline{}, {} are needed',
            test_n,
            CASE WHEN test_n = 1 THEN '' ELSE 's' END,
            least_for_drift()
        )
    END AS reason
FROM judged
ORDER BY started_at, scoring_id, list_position(['negative', 'neutral', 'positive', 'unparsed', 'confidence'], measure);
COMMENT ON VIEW score_drift IS 'How the answers to a scored source differ from those of the same cell on its test part: a row for each measure. A test part is often balanced and news is not, which also moves shares.';
COMMENT ON COLUMN score_drift.scoring_id IS 'The scoring.';
COMMENT ON COLUMN score_drift.source IS 'Readable name of the source; - is standard input.';
COMMENT ON COLUMN score_drift.cell_id IS 'The cell.';
COMMENT ON COLUMN score_drift.temperature IS 'Sampling temperature of the probabilities.';
COMMENT ON COLUMN score_drift.measure IS 'negative, neutral or positive: the share of that label; unparsed: the share of is_unparsed; confidence: its mean.';
COMMENT ON COLUMN score_drift.n IS 'Different headlines of the source that were scored; copies count once.';
COMMENT ON COLUMN score_drift.value IS 'The measure in the source.';
COMMENT ON COLUMN score_drift.test_n IS 'Headlines of the test part.';
COMMENT ON COLUMN score_drift.test_value IS 'The measure on the test part, of the likeliest labels.';
COMMENT ON COLUMN score_drift.difference IS 'value less test_value.';
COMMENT ON COLUMN score_drift.difference_low IS 'Lower end of its 95 % interval (Newcombe 1998, method 10); NULL where the drift is unknown.';
COMMENT ON COLUMN score_drift.difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN score_drift.started_at IS 'When the scoring started, UTC.';
COMMENT ON COLUMN score_drift.verdict IS 'above or below the test part beyond noise, no difference beyond noise, or unknown.';
COMMENT ON COLUMN score_drift.reason IS 'Why the drift is unknown; NULL where it is known.';
