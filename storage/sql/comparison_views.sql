-- Comparisons of two cells: which is better, how sure that is, and which headlines flipped between them. Defined again
-- whenever the warehouse is prepared.

CREATE OR REPLACE VIEW comparisons AS
WITH ranked AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY study_id, part) AS pairs,
        row_number() OVER (PARTITION BY study_id, part ORDER BY p_value) AS place
    FROM ledger.comparisons
),
corrected AS (
    SELECT
        *,
        least(1, max(p_value * (pairs - place + 1)) OVER (PARTITION BY study_id, part ORDER BY place)) AS p_holm
    FROM ranked
),
oriented AS (
    SELECT
        study_id,
        part,
        temperature,
        cell_id,
        other_cell_id,
        n,
        accuracy,
        other_accuracy,
        difference,
        difference_low,
        difference_high,
        macro_f1_difference,
        macro_f1_difference_low,
        macro_f1_difference_high,
        only_right,
        only_other_right,
        p_value,
        p_holm,
        pairs,
        false AS is_mirrored
    FROM corrected
    UNION ALL
    SELECT
        study_id,
        part,
        temperature,
        other_cell_id,
        cell_id,
        n,
        other_accuracy,
        accuracy,
        0 - difference,
        0 - difference_high,
        0 - difference_low,
        0 - macro_f1_difference,
        0 - macro_f1_difference_high,
        0 - macro_f1_difference_low,
        only_other_right,
        only_right,
        p_value,
        p_holm,
        pairs,
        true AS is_mirrored
    FROM corrected
)
SELECT
    oriented.study_id,
    oriented.part,
    oriented.temperature,
    oriented.cell_id,
    cells.kind,
    cells.model,
    cells.learning_rate,
    cells.epochs,
    cells.seed,
    oriented.other_cell_id,
    others.kind AS other_kind,
    others.model AS other_model,
    others.learning_rate AS other_learning_rate,
    others.epochs AS other_epochs,
    others.seed AS other_seed,
    oriented.n,
    oriented.accuracy,
    oriented.other_accuracy,
    oriented.difference,
    oriented.difference_low,
    oriented.difference_high,
    oriented.macro_f1_difference,
    oriented.macro_f1_difference_low,
    oriented.macro_f1_difference_high,
    oriented.only_right,
    oriented.only_other_right,
    oriented.p_value,
    oriented.p_holm,
    oriented.pairs,
    oriented.p_holm < 0.05 AS significant,
    oriented.is_mirrored,
    own.name AS cell_name,
    other.name AS other_cell_name
FROM oriented
JOIN cells ON cells.cell_id = oriented.cell_id
JOIN cells AS others ON others.cell_id = oriented.other_cell_id
JOIN study_cells AS own ON own.study_id = oriented.study_id AND own.cell_id = oriented.cell_id
JOIN study_cells AS other ON other.study_id = oriented.study_id AND other.cell_id = oriented.other_cell_id;
COMMENT ON VIEW comparisons IS 'Two cells of a study compared on the same test headlines at one temperature. Each pair has two rows, one in each order: WHERE cell_id = ... gives all rivals of a cell, WHERE NOT is_mirrored each pair once.';
COMMENT ON COLUMN comparisons.study_id IS 'The study.';
COMMENT ON COLUMN comparisons.part IS 'The part of the split: test, since validation chose between the cells and flatters its choice.';
COMMENT ON COLUMN comparisons.temperature IS 'Sampling temperature; a baseline, which does not sample, is compared with a model at each of the model''s. NULL for two baselines.';
COMMENT ON COLUMN comparisons.cell_id IS 'The cell.';
COMMENT ON COLUMN comparisons.kind IS 'base, baseline or fine-tuned.';
COMMENT ON COLUMN comparisons.model IS 'The base model, or the name of the baseline.';
COMMENT ON COLUMN comparisons.learning_rate IS 'Peak learning rate; NULL unless fine-tuned.';
COMMENT ON COLUMN comparisons.epochs IS 'Passes over the train part; NULL unless fine-tuned.';
COMMENT ON COLUMN comparisons.seed IS 'Seed of initialisation, order and dropout; NULL where nothing is drawn.';
COMMENT ON COLUMN comparisons.other_cell_id IS 'The cell that it is compared with.';
COMMENT ON COLUMN comparisons.other_kind IS 'Its kind.';
COMMENT ON COLUMN comparisons.other_model IS 'Its base model, or its name.';
COMMENT ON COLUMN comparisons.other_learning_rate IS 'Its peak learning rate.';
COMMENT ON COLUMN comparisons.other_epochs IS 'Its passes over the train part.';
COMMENT ON COLUMN comparisons.other_seed IS 'Its seed.';
COMMENT ON COLUMN comparisons.n IS 'Headlines that both were evaluated on.';
COMMENT ON COLUMN comparisons.accuracy IS 'Accuracy of the cell.';
COMMENT ON COLUMN comparisons.other_accuracy IS 'Accuracy of the other cell.';
COMMENT ON COLUMN comparisons.difference IS 'Accuracy of the cell less that of the other.';
COMMENT ON COLUMN comparisons.difference_low IS 'Lower end of its 95 % interval (Tango 1998; in a study of folds or windows, at least as wide as by fold); NULL where the two differ on fewer than 3 headlines.';
COMMENT ON COLUMN comparisons.difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN comparisons.macro_f1_difference IS 'Macro-F1 of the cell less that of the other.';
COMMENT ON COLUMN comparisons.macro_f1_difference_low IS 'Lower end of its 95 % interval (at least as wide as by fold, as difference_low is); NULL where difference_low is, and where a label has fewer than 10 headlines.';
COMMENT ON COLUMN comparisons.macro_f1_difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN comparisons.only_right IS 'Headlines that only the cell has right.';
COMMENT ON COLUMN comparisons.only_other_right IS 'Headlines that only the other cell has right.';
COMMENT ON COLUMN comparisons.p_value IS 'Exact two-sided p-value of McNemar''s test, for this pair only; in a study of folds or windows, that of Student''s test by fold if larger.';
COMMENT ON COLUMN comparisons.p_holm IS 'The p-value after Holm''s correction for all pairs of the study on this part, at all temperatures.';
COMMENT ON COLUMN comparisons.pairs IS 'Number of these pairs, each counted once.';
COMMENT ON COLUMN comparisons.significant IS 'Whether p_holm is below 0.05.';
COMMENT ON COLUMN comparisons.is_mirrored IS 'Whether this is the second row of its pair, in the other order.';
COMMENT ON COLUMN comparisons.cell_name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN comparisons.other_cell_name IS 'Readable name of the other cell.';


CREATE OR REPLACE VIEW baseline_verdicts AS
SELECT
    study_id,
    part,
    temperature,
    cell_id,
    kind,
    model,
    learning_rate,
    epochs,
    seed,
    other_cell_id AS baseline_cell_id,
    other_model AS baseline,
    n,
    accuracy,
    other_accuracy AS baseline_accuracy,
    difference,
    difference_low,
    difference_high,
    p_value,
    p_holm,
    pairs,
    significant AND coalesce(difference_low > 0, false) AS beats_baseline,
    cell_name
FROM comparisons
WHERE kind <> 'baseline' AND other_kind = 'baseline'
QUALIFY row_number() OVER (PARTITION BY study_id, part, temperature, cell_id ORDER BY other_accuracy DESC, other_model) = 1;
COMMENT ON VIEW baseline_verdicts IS 'Whether the base model and each fine-tune of a study beat its best baseline on test, at each temperature.';
COMMENT ON COLUMN baseline_verdicts.study_id IS 'The study.';
COMMENT ON COLUMN baseline_verdicts.part IS 'The part of the split: test.';
COMMENT ON COLUMN baseline_verdicts.temperature IS 'Sampling temperature of the cell.';
COMMENT ON COLUMN baseline_verdicts.cell_id IS 'The cell.';
COMMENT ON COLUMN baseline_verdicts.kind IS 'base or fine-tuned.';
COMMENT ON COLUMN baseline_verdicts.model IS 'The base model.';
COMMENT ON COLUMN baseline_verdicts.learning_rate IS 'Peak learning rate; NULL unless fine-tuned.';
COMMENT ON COLUMN baseline_verdicts.epochs IS 'Passes over the train part; NULL unless fine-tuned.';
COMMENT ON COLUMN baseline_verdicts.seed IS 'Seed of initialisation, order and dropout; NULL where nothing is drawn.';
COMMENT ON COLUMN baseline_verdicts.baseline_cell_id IS 'The baseline with the highest accuracy on this part; the first by name if several are equal.';
COMMENT ON COLUMN baseline_verdicts.baseline IS 'Its name.';
COMMENT ON COLUMN baseline_verdicts.n IS 'Headlines that both were evaluated on.';
COMMENT ON COLUMN baseline_verdicts.accuracy IS 'Accuracy of the cell.';
COMMENT ON COLUMN baseline_verdicts.baseline_accuracy IS 'Accuracy of the baseline.';
COMMENT ON COLUMN baseline_verdicts.difference IS 'Accuracy of the cell less that of the baseline.';
COMMENT ON COLUMN baseline_verdicts.difference_low IS 'Lower end of its 95 % interval (Tango 1998; in a study of folds or windows, at least as wide as by fold); NULL where the two differ on fewer than 3 headlines.';
COMMENT ON COLUMN baseline_verdicts.difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN baseline_verdicts.p_value IS 'Exact two-sided p-value of McNemar''s test, for this pair only; in a study of folds or windows, that of Student''s test by fold if larger.';
COMMENT ON COLUMN baseline_verdicts.p_holm IS 'The p-value after Holm''s correction for all pairs of the study on this part, at all temperatures.';
COMMENT ON COLUMN baseline_verdicts.pairs IS 'Number of these pairs, each counted once.';
COMMENT ON COLUMN baseline_verdicts.beats_baseline IS 'Whether the interval lies above 0 and p_holm is below 0.05.';
COMMENT ON COLUMN baseline_verdicts.cell_name IS 'Readable name of the cell in this study.';


CREATE OR REPLACE VIEW ledger.pairings AS
WITH evaluated AS (
    SELECT
        study_id,
        evaluation_id,
        evaluations.cell_id,
        evaluations.part,
        evaluations.temperature,
        evaluations.decoding_id,
        evaluations.n,
        studies.number,
        study_cells.position
    FROM ledger.study_evaluations
    JOIN evaluations USING (evaluation_id)
    JOIN studies USING (study_id)
    JOIN study_cells USING (study_id, cell_id)
)
SELECT
    own.study_id,
    other.study_id AS other_study_id,
    own.part,
    coalesce(own.temperature, other.temperature) AS temperature,
    own.cell_id,
    other.cell_id AS other_cell_id,
    own.evaluation_id,
    other.evaluation_id AS other_evaluation_id,
    own.n,
    other.n AS other_n,
    coalesce(own.decoding_id = other.decoding_id, true) AS is_sampled_alike,
    greatest(own.number, other.number) AS number,
    own.position > other.position AS is_mirrored
FROM evaluated AS own
JOIN evaluated AS other
    ON other.part = own.part
    AND other.cell_id <> own.cell_id
    AND coalesce(other.temperature = own.temperature, true);
COMMENT ON VIEW ledger.pairings IS 'Evaluations of two cells, of one study or of two, on the same part at one temperature; each pair in both orders.';
COMMENT ON COLUMN ledger.pairings.study_id IS 'A study of the cell.';
COMMENT ON COLUMN ledger.pairings.other_study_id IS 'A study of the other cell.';
COMMENT ON COLUMN ledger.pairings.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN ledger.pairings.temperature IS 'Sampling temperature; a baseline, which does not sample, is compared with a model at each of the model''s. NULL for two baselines.';
COMMENT ON COLUMN ledger.pairings.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.pairings.other_cell_id IS 'The other cell.';
COMMENT ON COLUMN ledger.pairings.evaluation_id IS 'The evaluation of the cell.';
COMMENT ON COLUMN ledger.pairings.other_evaluation_id IS 'The evaluation of the other cell.';
COMMENT ON COLUMN ledger.pairings.n IS 'Headlines that the cell was evaluated on.';
COMMENT ON COLUMN ledger.pairings.other_n IS 'Headlines that the other cell was evaluated on; not the same ones where the splits differ.';
COMMENT ON COLUMN ledger.pairings.is_sampled_alike IS 'Whether both were sampled with the same top-k, top-p and seed; true with a baseline.';
COMMENT ON COLUMN ledger.pairings.number IS 'Number of the later of both studies.';
COMMENT ON COLUMN ledger.pairings.is_mirrored IS 'Within one study: whether this is the second row of its pair, in the other order.';


CREATE OR REPLACE VIEW flips AS
SELECT
    pairings.study_id,
    pairings.part,
    pairings.temperature,
    pairings.cell_id,
    pairings.other_cell_id,
    headlines.headline_id,
    headlines.text,
    headlines.label,
    own.predicted,
    other.predicted AS other_predicted,
    CASE headlines.label
        WHEN own.predicted THEN pairings.cell_id
        WHEN other.predicted THEN pairings.other_cell_id
    END AS right_cell_id,
    pairings.is_mirrored
FROM ledger.pairings
JOIN ledger.predictions AS own USING (evaluation_id)
JOIN ledger.predictions AS other
    ON other.evaluation_id = pairings.other_evaluation_id
    AND other.headline_id = own.headline_id
    AND other.predicted <> own.predicted
JOIN headlines ON headlines.headline_id = own.headline_id
WHERE pairings.study_id = pairings.other_study_id;
COMMENT ON VIEW flips IS 'Headlines for which two cells of a study predict different labels, at one temperature. Each flip has two rows, one in each order: select both cells, or WHERE NOT is_mirrored.';
COMMENT ON COLUMN flips.study_id IS 'The study.';
COMMENT ON COLUMN flips.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN flips.temperature IS 'Sampling temperature; a baseline, which does not sample, is compared with a model at each of the model''s. NULL for two baselines.';
COMMENT ON COLUMN flips.cell_id IS 'The cell.';
COMMENT ON COLUMN flips.other_cell_id IS 'The other cell.';
COMMENT ON COLUMN flips.headline_id IS 'The headline.';
COMMENT ON COLUMN flips.text IS 'Its text.';
COMMENT ON COLUMN flips.label IS 'Its sentiment: negative, neutral or positive.';
COMMENT ON COLUMN flips.predicted IS 'What the cell predicts.';
COMMENT ON COLUMN flips.other_predicted IS 'What the other cell predicts.';
COMMENT ON COLUMN flips.right_cell_id IS 'Which of the two is right; NULL where neither is.';
COMMENT ON COLUMN flips.is_mirrored IS 'Whether this is the second row of its flip, in the other order.';


CREATE OR REPLACE VIEW prompt_effects AS
SELECT
    comparisons.study_id,
    comparisons.part,
    comparisons.temperature,
    comparisons.kind,
    comparisons.cell_id,
    comparisons.cell_name,
    shown.what AS shown,
    (own.hyperparameters->>'$.prompt.examples')::INTEGER AS examples,
    own.hyperparameters->>'$.prompt.examples_by' AS examples_by,
    (own.hyperparameters->>'$.prompt.examples_seed')::BIGINT AS examples_seed,
    comparisons.other_cell_id AS plain_cell_id,
    comparisons.n,
    comparisons.accuracy,
    comparisons.other_accuracy AS plain_accuracy,
    comparisons.difference,
    comparisons.difference_low,
    comparisons.difference_high,
    comparisons.only_right,
    comparisons.only_other_right AS only_plain_right,
    comparisons.p_value,
    comparisons.p_holm,
    comparisons.pairs,
    comparisons.significant
FROM comparisons
JOIN cells AS own ON own.cell_id = comparisons.cell_id
JOIN cells AS other
    ON other.cell_id = comparisons.other_cell_id
    AND other.kind = own.kind
    AND other.base_revision = own.base_revision
JOIN (VALUES ('examples'), ('context')) AS shown (what)
    ON settings_but_shown(with_base(other.hyperparameters, other.base_revision), shown.what)
        = settings_but_shown(with_base(own.hyperparameters, own.base_revision), shown.what)
    AND shows(own.hyperparameters, shown.what)
    AND NOT shows(other.hyperparameters, shown.what);
COMMENT ON VIEW prompt_effects IS 'What a prompt gains by showing examples or a context before each headline: a cell compared with the one that differs only in not showing it, on the same test headlines at one temperature.';
COMMENT ON COLUMN prompt_effects.study_id IS 'The study.';
COMMENT ON COLUMN prompt_effects.part IS 'The part of the split: test.';
COMMENT ON COLUMN prompt_effects.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN prompt_effects.kind IS 'Kind of both cells: base or fine-tuned.';
COMMENT ON COLUMN prompt_effects.cell_id IS 'The cell that shows it.';
COMMENT ON COLUMN prompt_effects.cell_name IS 'Its name in the study.';
COMMENT ON COLUMN prompt_effects.shown IS 'What it shows: examples (prompt.examples) or context (prompt.context).';
COMMENT ON COLUMN prompt_effects.examples IS 'How many examples the cell shows; NULL for none.';
COMMENT ON COLUMN prompt_effects.examples_by IS 'How they are chosen: fixed or nearest.';
COMMENT ON COLUMN prompt_effects.examples_seed IS 'Seed of their choice and order.';
COMMENT ON COLUMN prompt_effects.plain_cell_id IS 'The cell without it.';
COMMENT ON COLUMN prompt_effects.n IS 'Headlines that both were evaluated on.';
COMMENT ON COLUMN prompt_effects.accuracy IS 'Accuracy with it.';
COMMENT ON COLUMN prompt_effects.plain_accuracy IS 'Accuracy without.';
COMMENT ON COLUMN prompt_effects.difference IS 'Accuracy with it less that without.';
COMMENT ON COLUMN prompt_effects.difference_low IS 'Lower end of its 95 % interval (Tango 1998; in a study of folds or windows, at least as wide as by fold); NULL where the two differ on fewer than 3 headlines.';
COMMENT ON COLUMN prompt_effects.difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN prompt_effects.only_right IS 'Headlines that are right only with it.';
COMMENT ON COLUMN prompt_effects.only_plain_right IS 'Headlines that are right only without.';
COMMENT ON COLUMN prompt_effects.p_value IS 'Exact two-sided p-value of McNemar''s test, for this pair only; in a study of folds or windows, that of Student''s test by fold if larger.';
COMMENT ON COLUMN prompt_effects.p_holm IS 'The same after Holm''s correction for all pairs of the study.';
COMMENT ON COLUMN prompt_effects.pairs IS 'Number of these pairs.';
COMMENT ON COLUMN prompt_effects.significant IS 'Whether p_holm is below 0.05.';
