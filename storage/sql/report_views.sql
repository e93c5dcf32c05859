-- Views for the report of a study, besides those for analysts. Defined again whenever the warehouse is prepared.

CREATE OR REPLACE VIEW acting AS
SELECT
    answers.study_id,
    answers.cell_id,
    answers.part,
    answers.temperature,
    steps.step / 100 AS threshold,
    count(*) FILTER (answers.confidence >= steps.step / 100) AS n,
    count(*) FILTER (answers.confidence >= steps.step / 100) / count(*) AS coverage,
    count(*) FILTER (answers.confidence >= steps.step / 100 AND answers.is_right) AS hits,
    CASE WHEN n > 0 THEN hits / n END AS accuracy,
    CASE WHEN n > 0 THEN hits_low(hits, n) END AS accuracy_low,
    CASE WHEN n > 0 THEN hits_high(hits, n) END AS accuracy_high
FROM ledger.answers AS answers
CROSS JOIN range(0, 100) AS steps (step)
GROUP BY ALL
ORDER BY answers.study_id, answers.cell_id, answers.part, answers.temperature, threshold;
COMMENT ON VIEW acting IS 'How often a model is right if only answers of at least some confidence are acted on: a row for each hundredth of confidence.';
COMMENT ON COLUMN acting.study_id IS 'The study.';
COMMENT ON COLUMN acting.cell_id IS 'The cell.';
COMMENT ON COLUMN acting.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN acting.temperature IS 'Sampling temperature, which the probabilities depend on; NULL for a baseline.';
COMMENT ON COLUMN acting.threshold IS 'Least confidence that is acted on: the probability of the likeliest label, where anything unparsed counts as neutral.';
COMMENT ON COLUMN acting.n IS 'Headlines with that confidence or more.';
COMMENT ON COLUMN acting.coverage IS 'Their share of all headlines evaluated.';
COMMENT ON COLUMN acting.hits IS 'How many of them have the right likeliest label.';
COMMENT ON COLUMN acting.accuracy IS 'Share of them whose likeliest label is right; NULL where there is none.';
COMMENT ON COLUMN acting.accuracy_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN acting.accuracy_high IS 'Upper end of its 95 % interval.';


CREATE OR REPLACE VIEW ledger.mix_ups AS
SELECT
    evaluation_id,
    count(*) AS n,
    count(*) FILTER (predicted <> label AND predicted <> 'neutral' AND label <> 'neutral') AS mix_ups,
    mix_ups / n AS mix_up_rate,
    hits_low(mix_ups, n) AS mix_up_rate_low,
    hits_high(mix_ups, n) AS mix_up_rate_high,
    count(*) FILTER (predicted = label AND label <> 'neutral') AS right_calls,
    right_calls / nullif(mix_ups, 0) AS right_calls_per_mix_up
FROM ledger.predictions
JOIN headlines USING (headline_id)
GROUP BY evaluation_id;
COMMENT ON VIEW ledger.mix_ups IS 'How often an evaluation takes positive for negative or negative for positive, and how many right calls there are for each such mistake.';
COMMENT ON COLUMN ledger.mix_ups.evaluation_id IS 'The evaluation.';
COMMENT ON COLUMN ledger.mix_ups.n IS 'Headlines evaluated.';
COMMENT ON COLUMN ledger.mix_ups.mix_ups IS 'Positive headlines answered negative, and negative ones answered positive.';
COMMENT ON COLUMN ledger.mix_ups.mix_up_rate IS 'Their share of all headlines evaluated.';
COMMENT ON COLUMN ledger.mix_ups.mix_up_rate_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN ledger.mix_ups.mix_up_rate_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN ledger.mix_ups.right_calls IS 'Positive and negative headlines answered right.';
COMMENT ON COLUMN ledger.mix_ups.right_calls_per_mix_up IS 'Right calls for each mix-up; NULL where there is no mix-up. Calls lose money where a mix-up costs more than this many right calls earn.';


CREATE OR REPLACE VIEW ledger.trainings AS
WITH course AS (
    SELECT
        study_id,
        cell_id,
        name,
        position,
        steps,
        settings_but_epochs(with_base(hyperparameters, base_revision)) AS settings,
        (SELECT list(loss ORDER BY step) FROM training_log WHERE training_log.cell_id = cells.cell_id) AS losses
    FROM study_cells
    JOIN cells USING (cell_id)
    WHERE kind = 'fine-tuned'
)
SELECT
    own.study_id,
    own.cell_id,
    own.name,
    own.position,
    coalesce(own.steps, len(own.losses)) AS steps,
    longest.cell_id AS training_cell_id
FROM course AS own
JOIN course AS longest
    ON longest.study_id = own.study_id
    AND longest.settings = own.settings
    AND longest.losses[:len(own.losses)] = own.losses
WHERE len(own.losses) > 0
QUALIFY row_number() OVER (
    PARTITION BY own.study_id, own.cell_id ORDER BY len(longest.losses) DESC, longest.position
) = 1;
COMMENT ON VIEW ledger.trainings IS 'Which cells of a study share a training: those that differ only in their epochs and have the same losses step by step.';
COMMENT ON COLUMN ledger.trainings.study_id IS 'The study.';
COMMENT ON COLUMN ledger.trainings.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.trainings.name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN ledger.trainings.position IS 'Its position in the study.';
COMMENT ON COLUMN ledger.trainings.steps IS 'The optimiser step at which it ends, or that it has reached.';
COMMENT ON COLUMN ledger.trainings.training_cell_id IS 'The longest cell whose log begins with that of this cell: the cell itself where no other does.';
