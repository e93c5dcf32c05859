-- Details of an evaluation beyond its figures: draws, confusions, labels, calibration, abstention, all computed from the
-- ledger. Defined again whenever the warehouse is prepared.

CREATE OR REPLACE VIEW draws AS
SELECT
    study_evaluations.study_id,
    evaluations.cell_id,
    evaluations.part,
    evaluations.temperature,
    ledger.draws.draw,
    ledger.draws.accuracy,
    ledger.draws.macro_f1,
    ledger.draws.strict_accuracy,
    ledger.draws.unparsed_rate,
    evaluations.evaluation_id
FROM ledger.study_evaluations
JOIN studies USING (study_id)
JOIN evaluations USING (evaluation_id)
JOIN ledger.draws USING (evaluation_id)
WHERE ledger.draws.draw < coalesce((studies.config->>'$.decoding.draws')::BIGINT, 1)
ORDER BY ALL;
COMMENT ON VIEW draws IS 'Figures of each seeded draw of a study (decoding.draws): how much a sampled figure varies between draws.';
COMMENT ON COLUMN draws.study_id IS 'The study.';
COMMENT ON COLUMN draws.cell_id IS 'The cell.';
COMMENT ON COLUMN draws.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN draws.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN draws.draw IS 'Number of the draw, from 0; 0 is the one of leaderboard and predictions.';
COMMENT ON COLUMN draws.accuracy IS 'Share of headlines whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN draws.macro_f1 IS 'Mean of the F1 of the labels that its headlines have.';
COMMENT ON COLUMN draws.strict_accuracy IS 'Accuracy where anything unparsed counts as wrong.';
COMMENT ON COLUMN draws.unparsed_rate IS 'Share of headlines whose sampled output is not a label.';
COMMENT ON COLUMN draws.evaluation_id IS 'The evaluation. Studies may share one, and each of them then has these rows.';


CREATE OR REPLACE VIEW temperature_curve AS
SELECT DISTINCT
    study_evaluations.study_id,
    evaluations.cell_id,
    evaluations.part,
    ledger.temperature_curves.at_temperature AS temperature,
    ledger.temperature_curves.expected_accuracy,
    ledger.temperature_curves.unparsed_rate
FROM ledger.study_evaluations
JOIN evaluations USING (evaluation_id)
JOIN ledger.temperature_curves USING (evaluation_id)
ORDER BY ALL;
COMMENT ON VIEW temperature_curve IS 'How accurate a model would be at any temperature: the mean over all draws, in closed form, with the study''s top-k and top-p.';
COMMENT ON COLUMN temperature_curve.study_id IS 'The study.';
COMMENT ON COLUMN temperature_curve.cell_id IS 'The cell.';
COMMENT ON COLUMN temperature_curve.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN temperature_curve.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN temperature_curve.expected_accuracy IS 'Mean probability of the right label; what is unparsed counts as neutral.';
COMMENT ON COLUMN temperature_curve.unparsed_rate IS 'Mean probability of an answer that is not a label.';


CREATE OR REPLACE VIEW confusion AS
WITH by_label AS (
    SELECT
        study_id,
        cell_id,
        part,
        temperature,
        label AS truth,
        count(*) FILTER (predicted = 'negative') AS n_negative,
        count(*) FILTER (predicted = 'neutral') AS n_neutral,
        count(*) FILTER (predicted = 'positive') AS n_positive,
        sum(p_negative) AS expected_negative,
        sum(with_unparsed(p_neutral, p_unparsed)) AS expected_neutral,
        sum(p_positive) AS expected_positive
    FROM predictions
    GROUP BY ALL
),
counted AS (
    SELECT
        study_id,
        cell_id,
        part,
        temperature,
        labels.label,
        answers.predicted,
        sum(CASE predicted WHEN 'negative' THEN n_negative WHEN 'neutral' THEN n_neutral ELSE n_positive END)
            FILTER (truth = labels.label) AS n,
        sum(
            CASE predicted
                WHEN 'negative' THEN expected_negative
                WHEN 'neutral' THEN expected_neutral
                ELSE expected_positive
            END
        ) FILTER (truth = labels.label) AS expected_n,
        count(expected_negative) > 0 AS has_probabilities
    FROM by_label
    CROSS JOIN (VALUES ('negative'), ('neutral'), ('positive')) AS labels (label)
    CROSS JOIN (VALUES ('negative'), ('neutral'), ('positive')) AS answers (predicted)
    GROUP BY ALL
)
SELECT
    study_id,
    cell_id,
    part,
    temperature,
    label,
    predicted,
    coalesce(n, 0)::BIGINT AS n,
    n / sum(n) OVER (PARTITION BY study_id, cell_id, part, temperature, label) AS share,
    CASE WHEN has_probabilities THEN coalesce(expected_n, 0) END AS expected_n
FROM counted
ORDER BY study_id, cell_id, part, temperature, label, predicted;
COMMENT ON VIEW confusion IS 'How often each label was answered with each: nine rows for each evaluation.';
COMMENT ON COLUMN confusion.study_id IS 'The study.';
COMMENT ON COLUMN confusion.cell_id IS 'The cell.';
COMMENT ON COLUMN confusion.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN confusion.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN confusion.label IS 'The true label.';
COMMENT ON COLUMN confusion.predicted IS 'The label that was sampled or, for a baseline, decided; anything unparsed counts as neutral.';
COMMENT ON COLUMN confusion.n IS 'Headlines with this label that were answered so.';
COMMENT ON COLUMN confusion.share IS 'Their share of the headlines with this label; NULL where there are none.';
COMMENT ON COLUMN confusion.expected_n IS 'Their number without the noise of the draws: the sum of the probabilities; NULL for a baseline without probabilities.';


CREATE OR REPLACE VIEW class_metrics AS
WITH counted AS (
    SELECT
        study_id,
        cell_id,
        part,
        temperature,
        labels.name AS label,
        sum(n) FILTER (label = labels.name)::BIGINT AS support,
        sum(n) FILTER (predicted = labels.name)::BIGINT AS answered,
        sum(n) FILTER (label = labels.name AND predicted = labels.name)::BIGINT AS hits
    FROM confusion
    CROSS JOIN (VALUES ('negative'), ('neutral'), ('positive')) AS labels (name)
    GROUP BY study_id, cell_id, part, temperature, labels.name
)
SELECT
    study_id,
    cell_id,
    part,
    temperature,
    label,
    support,
    coalesce(hits / nullif(answered, 0), 0) AS precision,
    coalesce(hits / nullif(support, 0), 0) AS recall,
    coalesce(2 * hits / nullif(answered + support, 0), 0) AS f1
FROM counted
ORDER BY study_id, cell_id, part, temperature, label;
COMMENT ON VIEW class_metrics IS 'Precision, recall and F1 of each label; the mean of f1 over the labels with support is macro_f1.';
COMMENT ON COLUMN class_metrics.study_id IS 'The study.';
COMMENT ON COLUMN class_metrics.cell_id IS 'The cell.';
COMMENT ON COLUMN class_metrics.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN class_metrics.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN class_metrics.label IS 'The label.';
COMMENT ON COLUMN class_metrics.support IS 'Headlines that have it.';
COMMENT ON COLUMN class_metrics.precision IS 'Share that has it among the headlines answered with it; 0 where none was.';
COMMENT ON COLUMN class_metrics.recall IS 'Share answered with it among the headlines that have it; 0 where none has.';
COMMENT ON COLUMN class_metrics.f1 IS 'Harmonic mean of precision and recall; 0 for a label that no headline has and no answer gives.';


CREATE OR REPLACE VIEW ledger.answers AS
WITH folded AS (
    SELECT
        study_id,
        cell_id,
        part,
        temperature,
        headline_id,
        label,
        p_negative,
        with_unparsed(p_neutral, p_unparsed) AS p_neutral,
        p_positive
    FROM main.predictions
    WHERE p_negative IS NOT NULL
)
SELECT
    study_id,
    cell_id,
    part,
    temperature,
    headline_id,
    greatest(p_negative, p_neutral, p_positive) AS confidence,
    least(floor(confidence * 10)::BIGINT + 1, 10) AS bin,
    label = likeliest_label(p_negative, p_neutral, p_positive) AS is_right,
    (p_negative - (label = 'negative')::INT) ** 2
        + (p_neutral - (label = 'neutral')::INT) ** 2
        + (p_positive - (label = 'positive')::INT) ** 2 AS squared_error,
    -- The smallest step of a double from 1, as in scikit-learn: a true label of probability 0 costs 36.04, not infinity.
    -ln(greatest(
        CASE label WHEN 'negative' THEN p_negative WHEN 'neutral' THEN p_neutral ELSE p_positive END,
        2.220446049250313e-16
    )) AS log_loss
FROM folded;
COMMENT ON VIEW ledger.answers IS 'The likeliest label of each headline and how good its probabilities are; no rows for baselines without probabilities.';
COMMENT ON COLUMN ledger.answers.study_id IS 'The study.';
COMMENT ON COLUMN ledger.answers.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.answers.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN ledger.answers.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN ledger.answers.headline_id IS 'The headline.';
COMMENT ON COLUMN ledger.answers.confidence IS 'Probability of the likeliest label, where anything unparsed counts as neutral; the first in the alphabet if several are equal.';
COMMENT ON COLUMN ledger.answers.bin IS 'Tenth of confidence, from 1; its upper end belongs to the next one, except that 1 belongs to the last.';
COMMENT ON COLUMN ledger.answers.is_right IS 'Whether the likeliest label is the true one.';
COMMENT ON COLUMN ledger.answers.squared_error IS 'Sum over the three labels of (probability - whether it is true)^2.';
COMMENT ON COLUMN ledger.answers.log_loss IS 'Negative natural logarithm of the probability of the true label, clipped at 2.2e-16.';


CREATE OR REPLACE VIEW ledger.ranked_answers AS
SELECT
    * EXCLUDE (right_of_equal),
    row_number() OVER surest_first AS answered,
    sum(right_of_equal) OVER surest_first AS hits,
    count(*) OVER (PARTITION BY study_id, cell_id, part, temperature) AS total
FROM (
    SELECT
        *,
        avg(is_right::INT) OVER (PARTITION BY study_id, cell_id, part, temperature, confidence) AS right_of_equal
    FROM ledger.answers
)
WINDOW surest_first AS (
    PARTITION BY study_id, cell_id, part, temperature
    ORDER BY confidence DESC, headline_id
    ROWS UNBOUNDED PRECEDING
);
COMMENT ON VIEW ledger.ranked_answers IS 'ledger.answers, the surest first, with what a model that may abstain has answered down to each of them.';
COMMENT ON COLUMN ledger.ranked_answers.study_id IS 'The study.';
COMMENT ON COLUMN ledger.ranked_answers.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.ranked_answers.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN ledger.ranked_answers.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN ledger.ranked_answers.headline_id IS 'The headline.';
COMMENT ON COLUMN ledger.ranked_answers.confidence IS 'As in ledger.answers.';
COMMENT ON COLUMN ledger.ranked_answers.bin IS 'As in ledger.answers.';
COMMENT ON COLUMN ledger.ranked_answers.is_right IS 'As in ledger.answers.';
COMMENT ON COLUMN ledger.ranked_answers.squared_error IS 'As in ledger.answers.';
COMMENT ON COLUMN ledger.ranked_answers.log_loss IS 'As in ledger.answers.';
COMMENT ON COLUMN ledger.ranked_answers.answered IS 'Its rank, from 1: the number of headlines answered if it is the last; equally sure ones are in the order of headline_id.';
COMMENT ON COLUMN ledger.ranked_answers.hits IS 'How many of those are answered right; of some that are equally sure, the mean over all their orders.';
COMMENT ON COLUMN ledger.ranked_answers.total IS 'Headlines evaluated.';


CREATE OR REPLACE VIEW calibration AS
SELECT
    study_id,
    cell_id,
    part,
    temperature,
    bin,
    (bin - 1) / 10 AS confidence_low,
    bin / 10 AS confidence_high,
    count(*) AS n,
    avg(confidence) AS mean_confidence,
    avg(is_right::INT) AS accuracy,
    avg(confidence) - avg(is_right::INT) AS gap,
    hits_low(sum(is_right::INT), count(*)) AS accuracy_low,
    hits_high(sum(is_right::INT), count(*)) AS accuracy_high
FROM ledger.answers
GROUP BY ALL
ORDER BY study_id, cell_id, part, temperature, bin;
COMMENT ON VIEW calibration IS 'Reliability bins: how often the likeliest label is right, by its probability. A bin without a headline has no row.';
COMMENT ON COLUMN calibration.study_id IS 'The study.';
COMMENT ON COLUMN calibration.cell_id IS 'The cell.';
COMMENT ON COLUMN calibration.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN calibration.temperature IS 'Sampling temperature, which the probabilities depend on; NULL for a baseline.';
COMMENT ON COLUMN calibration.bin IS 'Number of the bin, 1 to 10; three labels leave the first three empty.';
COMMENT ON COLUMN calibration.confidence_low IS 'Least confidence of the bin: the probability of the likeliest label, where anything unparsed counts as neutral.';
COMMENT ON COLUMN calibration.confidence_high IS 'Where the next bin begins; 1 itself is in the last bin.';
COMMENT ON COLUMN calibration.n IS 'Headlines in the bin.';
COMMENT ON COLUMN calibration.mean_confidence IS 'Their mean confidence.';
COMMENT ON COLUMN calibration.accuracy IS 'Share of them whose likeliest label is right.';
COMMENT ON COLUMN calibration.gap IS 'mean_confidence less accuracy: above 0 where the model is surer than it is right.';
COMMENT ON COLUMN calibration.accuracy_low IS 'Lower end of the 95 % interval of accuracy.';
COMMENT ON COLUMN calibration.accuracy_high IS 'Upper end of that interval.';


CREATE OR REPLACE VIEW calibration_summary AS
WITH binned AS (
    SELECT
        study_id,
        cell_id,
        part,
        temperature,
        bin,
        count(*) AS n,
        abs(avg(confidence) - avg(is_right::INT)) AS gap,
        sum(squared_error) AS squared_error,
        sum(log_loss) AS log_loss,
        sum(1 - hits / answered) AS risk
    FROM ledger.ranked_answers
    GROUP BY ALL
)
SELECT
    study_id,
    cell_id,
    part,
    temperature,
    sum(n)::BIGINT AS n,
    sum(n * gap) / sum(n) AS expected_calibration_error,
    max(gap) AS maximum_calibration_error,
    sum(squared_error) / sum(n) AS brier_score,
    sum(log_loss) / sum(n) AS log_loss,
    sum(risk) / sum(n) AS area_under_risk_coverage
FROM binned
GROUP BY ALL
ORDER BY study_id, cell_id, part, temperature;
COMMENT ON VIEW calibration_summary IS 'How reliable the probabilities are: one row for each evaluation with probabilities.';
COMMENT ON COLUMN calibration_summary.study_id IS 'The study.';
COMMENT ON COLUMN calibration_summary.cell_id IS 'The cell.';
COMMENT ON COLUMN calibration_summary.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN calibration_summary.temperature IS 'Sampling temperature, which the probabilities depend on; NULL for a baseline.';
COMMENT ON COLUMN calibration_summary.n IS 'Headlines evaluated.';
COMMENT ON COLUMN calibration_summary.expected_calibration_error IS 'Mean distance of confidence and accuracy over the bins of calibration, weighted by n (Guo et al. 2017).';
COMMENT ON COLUMN calibration_summary.maximum_calibration_error IS 'The largest of these distances.';
COMMENT ON COLUMN calibration_summary.brier_score IS 'Mean over headlines of the squared error summed over the three labels, from 0 to 2 (Brier 1950).';
COMMENT ON COLUMN calibration_summary.log_loss IS 'Mean negative natural logarithm of the probability of the true label, clipped at 2.2e-16.';
COMMENT ON COLUMN calibration_summary.area_under_risk_coverage IS 'Mean over all coverages of the share answered wrong, the surest answered first (Geifman and El-Yaniv 2017); the mean over all orders of equally sure ones; 0 is best.';


CREATE OR REPLACE VIEW coverage AS
SELECT
    study_id,
    cell_id,
    part,
    temperature,
    step / 20 AS coverage,
    confidence AS threshold,
    answered AS n,
    hits / answered AS accuracy
FROM ledger.ranked_answers
JOIN range(1, 21) AS steps (step) ON answered = (total * step + 19) // 20
ORDER BY study_id, cell_id, part, temperature, coverage;
COMMENT ON VIEW coverage IS 'Accuracy if the model may abstain: only the surest share of the headlines is answered, with the likeliest label.';
COMMENT ON COLUMN coverage.study_id IS 'The study.';
COMMENT ON COLUMN coverage.cell_id IS 'The cell.';
COMMENT ON COLUMN coverage.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN coverage.temperature IS 'Sampling temperature, which the probabilities depend on; NULL for a baseline.';
COMMENT ON COLUMN coverage.coverage IS 'Share of the headlines that is answered, in steps of .05; n is rounded up.';
COMMENT ON COLUMN coverage.threshold IS 'Least confidence that is answered: the probability of the likeliest label, where anything unparsed counts as neutral.';
COMMENT ON COLUMN coverage.n IS 'Headlines answered.';
COMMENT ON COLUMN coverage.accuracy IS 'Share of them that is answered right.';
