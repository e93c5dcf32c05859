-- The main views for analysts. Defined again whenever the warehouse is prepared, so a view may change without a migration.

CREATE OR REPLACE VIEW ledger.cell_evaluations AS
SELECT
    studies.study_id,
    evaluations.cell_id,
    evaluations.evaluation_id,
    evaluations.split_id = studies.split_id AS is_answer
FROM studies
JOIN study_cells USING (study_id)
JOIN cells USING (cell_id)
JOIN evaluations
    ON evaluations.cell_id = study_cells.cell_id AND evaluations.split_id IN (studies.split_id, cells.split_id)
ANTI JOIN ledger.drops ON drops.study_id = studies.study_id AND drops.cell_id = evaluations.cell_id
WHERE evaluations.temperature IS NULL
   OR (evaluations.decoding_id = studies.decoding_id AND list_contains(studies.temperatures, evaluations.temperature));
COMMENT ON VIEW ledger.cell_evaluations IS 'The evaluations of a study''s cells, except those that its race dropped, with its decoding and at its temperatures; those of its folds too.';
COMMENT ON COLUMN ledger.cell_evaluations.study_id IS 'The study.';
COMMENT ON COLUMN ledger.cell_evaluations.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.cell_evaluations.evaluation_id IS 'The evaluation.';
COMMENT ON COLUMN ledger.cell_evaluations.is_answer IS 'Whether it answers the study: it is on the split of the study, not on a fold.';


CREATE OR REPLACE VIEW ledger.study_evaluations AS
SELECT study_id, evaluation_id
FROM ledger.cell_evaluations
WHERE is_answer;
COMMENT ON VIEW ledger.study_evaluations IS 'The evaluations that answer a study: of its cells, except those that its race dropped, with its decoding and at its temperatures. Studies may share one.';
COMMENT ON COLUMN ledger.study_evaluations.study_id IS 'The study.';
COMMENT ON COLUMN ledger.study_evaluations.evaluation_id IS 'The evaluation.';


CREATE OR REPLACE VIEW ledger.places AS
WITH own AS (
    SELECT
        study_cells.study_id,
        study_cells.position,
        study_cells.name,
        cells.cell_id,
        cells.kind,
        cells.model,
        cells.learning_rate,
        cells.epochs,
        cells.seed,
        cells.split_id <> studies.split_id AS is_of_fold,
        min(study_cells.position) OVER (
            PARTITION BY study_cells.study_id, cells.kind, settings_but_course(with_base(cells.hyperparameters, cells.base_revision))
        ) AS first_position
    FROM study_cells
    JOIN studies USING (study_id)
    JOIN cells USING (cell_id)
)
SELECT
    study_id,
    cell_id,
    name,
    row_number() OVER (
        PARTITION BY study_id
        ORDER BY
            is_of_fold,
            list_position(['base', 'baseline', 'fine-tuned'], kind),
            first_position,
            learning_rate,
            epochs,
            seed,
            model,
            position
    ) AS place,
    is_of_fold
FROM own;
COMMENT ON VIEW ledger.places IS 'The order in which tables show the cells of a study: bases, baselines by name, then fine-tunes, grouped where they differ only in learning rate, epochs and seed; cells of single folds are last.';
COMMENT ON COLUMN ledger.places.study_id IS 'The study.';
COMMENT ON COLUMN ledger.places.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.places.name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN ledger.places.place IS 'Its place, from 1.';
COMMENT ON COLUMN ledger.places.is_of_fold IS 'Whether it is trained and judged on one fold of the study; tables show the cell that pools all folds.';


CREATE OR REPLACE VIEW ledger.latest_studies AS
SELECT
    study_cells.cell_id,
    arg_max(studies.study_id, studies.number) AS study_id,
    max(studies.number) AS number,
    arg_max(study_cells.name, studies.number) AS name
FROM study_cells
JOIN studies USING (study_id)
GROUP BY study_cells.cell_id;
COMMENT ON VIEW ledger.latest_studies IS 'The latest study of each cell.';
COMMENT ON COLUMN ledger.latest_studies.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.latest_studies.study_id IS 'The study.';
COMMENT ON COLUMN ledger.latest_studies.number IS 'Its number: studies are numbered in the order in which they began.';
COMMENT ON COLUMN ledger.latest_studies.name IS 'Readable name of the cell in this study.';


CREATE OR REPLACE VIEW ledger.cutoffs AS
SELECT study_cells.cell_id, arg_max(study_cells.trained_until, studies.number) AS trained_until
FROM study_cells
JOIN studies USING (study_id)
GROUP BY study_cells.cell_id;
COMMENT ON VIEW ledger.cutoffs IS 'The last day of the texts that the base model of each cell was pretrained on, from the latest of its studies that gives one.';
COMMENT ON COLUMN ledger.cutoffs.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.cutoffs.trained_until IS 'The last day; NULL where no study gives it.';


CREATE OR REPLACE VIEW ledger.study_sources AS
SELECT studies.study_id, sources.ingest_id, sources.kind
FROM studies
JOIN sources USING (snapshot_id)
QUALIFY row_number() OVER (
    PARTITION BY studies.study_id
    ORDER BY
        sources.ingest_id = studies.ingest_id DESC NULLS LAST,
        sources.source = studies.source DESC,
        sources.number DESC
) = 1;
COMMENT ON VIEW ledger.study_sources IS 'The ingestion that gave a study its headlines; where a study does not record it, the latest of the same name.';
COMMENT ON COLUMN ledger.study_sources.study_id IS 'The study.';
COMMENT ON COLUMN ledger.study_sources.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN ledger.study_sources.kind IS 'Kind of the source.';


CREATE OR REPLACE MACRO latest_study() AS (SELECT study_id FROM studies ORDER BY number DESC LIMIT 1);
COMMENT ON MACRO latest_study IS 'The study that was started last, for WHERE study_id = latest_study(): views hold the rows of every study, and the rows of an evaluation that studies share are there for each of them.';


CREATE OR REPLACE VIEW leaderboard AS
SELECT
    study_evaluations.study_id,
    cells.cell_id,
    cells.kind,
    cells.model,
    cells.learning_rate,
    cells.epochs,
    cells.seed,
    evaluations.part,
    evaluations.temperature,
    evaluations.n,
    evaluations.accuracy,
    evaluations.accuracy_low,
    evaluations.accuracy_high,
    evaluations.macro_f1,
    evaluations.macro_f1_low,
    evaluations.macro_f1_high,
    evaluations.expected_accuracy,
    evaluations.unparsed_rate,
    coalesce(
        cells.cell_id = (SELECT champion_cell_id FROM champions ORDER BY number DESC LIMIT 1), false
    ) AS is_champion,
    cells.finished_at,
    evaluations.strict_accuracy,
    evaluations.expected_accuracy_low,
    evaluations.expected_accuracy_high,
    evaluations.argmax_accuracy,
    evaluations.argmax_macro_f1,
    evaluations.evaluation_id,
    places.name AS cell_name,
    cells.hyperparameters AS settings,
    places.place
FROM ledger.study_evaluations
JOIN evaluations USING (evaluation_id)
JOIN cells USING (cell_id)
JOIN ledger.places AS places ON places.study_id = study_evaluations.study_id AND places.cell_id = cells.cell_id;
COMMENT ON VIEW leaderboard IS 'Every figure of every study: one row for each cell, part of the split and temperature. Test parts of studies may differ, so rank within one study.';
COMMENT ON COLUMN leaderboard.study_id IS 'The study.';
COMMENT ON COLUMN leaderboard.cell_id IS 'The cell.';
COMMENT ON COLUMN leaderboard.kind IS 'base, baseline or fine-tuned.';
COMMENT ON COLUMN leaderboard.model IS 'The base model, or the name of the baseline.';
COMMENT ON COLUMN leaderboard.learning_rate IS 'Peak learning rate; NULL unless fine-tuned.';
COMMENT ON COLUMN leaderboard.epochs IS 'Passes over the train part; NULL unless fine-tuned.';
COMMENT ON COLUMN leaderboard.seed IS 'Seed of initialisation, order and dropout; NULL where nothing is drawn.';
COMMENT ON COLUMN leaderboard.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN evaluations.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN leaderboard.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN leaderboard.n IS 'Headlines evaluated.';
COMMENT ON COLUMN leaderboard.accuracy IS 'Share of headlines whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN leaderboard.accuracy_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN leaderboard.accuracy_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN leaderboard.macro_f1 IS 'Mean of the F1 of the labels that its headlines have.';
COMMENT ON COLUMN leaderboard.macro_f1_low IS 'Lower end of its 95 % interval; NULL where a label has fewer than 10 headlines.';
COMMENT ON COLUMN leaderboard.macro_f1_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN leaderboard.expected_accuracy IS 'Mean probability of the right label: the accuracy without the noise of the draws.';
COMMENT ON COLUMN leaderboard.unparsed_rate IS 'Share of headlines whose sampled token is no label.';
COMMENT ON COLUMN leaderboard.is_champion IS 'Whether this cell is the champion now, at the time of the query, whatever the study decided; champions has every decision.';
COMMENT ON COLUMN leaderboard.finished_at IS 'When the cell finished, UTC.';
COMMENT ON COLUMN leaderboard.strict_accuracy IS 'Accuracy where anything unparsed counts as wrong.';
COMMENT ON COLUMN leaderboard.expected_accuracy_low IS 'Lower end of the 95 % interval of expected_accuracy.';
COMMENT ON COLUMN leaderboard.expected_accuracy_high IS 'Upper end of the 95 % interval of expected_accuracy.';
COMMENT ON COLUMN leaderboard.argmax_accuracy IS 'Accuracy as the temperature goes to 0: of the likeliest output; for a baseline its accuracy.';
COMMENT ON COLUMN leaderboard.argmax_macro_f1 IS 'Macro-F1 as the temperature goes to 0; for a baseline its macro-F1.';
COMMENT ON COLUMN leaderboard.evaluation_id IS 'The evaluation. Studies may share one; over several studies, count DISTINCT evaluation_id.';
COMMENT ON COLUMN leaderboard.cell_name IS 'Readable name of the cell in this study; it shows what varies there.';
COMMENT ON COLUMN leaderboard.settings IS 'Every setting that has an effect on the cell, as JSON: settings->>''$.lora.r''.';
COMMENT ON COLUMN leaderboard.place IS 'Place of the cell where tables show the study: ORDER BY place, temperature.';


CREATE OR REPLACE VIEW predictions AS
SELECT
    study_evaluations.study_id,
    evaluations.cell_id,
    evaluations.part,
    evaluations.temperature,
    ledger.predictions.headline_id,
    headlines.label,
    ledger.predictions.predicted,
    ledger.predictions.p_negative,
    ledger.predictions.p_neutral,
    ledger.predictions.p_positive,
    ledger.predictions.p_unparsed,
    ledger.predictions.parsed,
    ledger.predictions.argmax,
    ledger.predictions.argmax_parsed,
    evaluations.evaluation_id
FROM ledger.study_evaluations
JOIN evaluations USING (evaluation_id)
JOIN ledger.predictions USING (evaluation_id)
JOIN headlines USING (headline_id);
COMMENT ON VIEW predictions IS 'Every prediction of every study, with the true label; join headlines for the text. Select one study, part and temperature: a headline has a row for each.';
COMMENT ON COLUMN predictions.study_id IS 'The study.';
COMMENT ON COLUMN predictions.cell_id IS 'The cell.';
COMMENT ON COLUMN predictions.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN predictions.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN predictions.headline_id IS 'The headline.';
COMMENT ON COLUMN predictions.label IS 'Its sentiment: negative, neutral or positive.';
COMMENT ON COLUMN predictions.predicted IS 'The label that was sampled or, for a baseline, decided.';
COMMENT ON COLUMN predictions.p_negative IS 'Probability of sampling negative; NULL for a baseline without probabilities.';
COMMENT ON COLUMN predictions.p_neutral IS 'Probability of sampling neutral; NULL for a baseline without probabilities.';
COMMENT ON COLUMN predictions.p_positive IS 'Probability of sampling positive; NULL for a baseline without probabilities.';
COMMENT ON COLUMN predictions.p_unparsed IS 'Probability of sampling no label; NULL for a baseline without probabilities.';
COMMENT ON COLUMN predictions.parsed IS 'Whether what was sampled is a label; if not, predicted is neutral.';
COMMENT ON COLUMN predictions.argmax IS 'The label as the temperature goes to 0: of the likeliest output; for a baseline what it decided.';
COMMENT ON COLUMN predictions.argmax_parsed IS 'Whether the likeliest output is a label; if not, argmax is neutral.';
COMMENT ON COLUMN predictions.evaluation_id IS 'The evaluation. Studies may share one, and each of them then has these rows.';


CREATE OR REPLACE VIEW reproduction AS
WITH measured AS (
    SELECT leaderboard.*, studies.profile
    FROM leaderboard
    JOIN studies USING (study_id)
    WHERE leaderboard.part = 'test' AND NOT studies.synthetic
    AND NOT shows(leaderboard.settings, 'examples')
)
SELECT
    published_results.kind,
    published_results.learning_rate,
    published_results.epochs,
    published_results.temperature,
    measured.study_id,
    measured.cell_id,
    measured.profile,
    measured.model,
    measured.seed,
    measured.n,
    published_results.accuracy AS published_accuracy,
    measured.accuracy AS measured_accuracy,
    measured.accuracy - published_results.accuracy AS accuracy_difference,
    published_results.accuracy BETWEEN measured.accuracy_low AND measured.accuracy_high AS accuracy_in_interval,
    published_results.macro_f1 AS published_macro_f1,
    measured.macro_f1 AS measured_macro_f1,
    measured.macro_f1 - published_results.macro_f1 AS macro_f1_difference,
    published_results.macro_f1 BETWEEN measured.macro_f1_low AND measured.macro_f1_high AS macro_f1_in_interval,
    measured.cell_name
FROM published_results
LEFT JOIN measured
    ON measured.kind = published_results.kind
    AND measured.learning_rate IS NOT DISTINCT FROM published_results.learning_rate
    AND measured.epochs IS NOT DISTINCT FROM published_results.epochs
    AND measured.temperature = published_results.temperature;
COMMENT ON VIEW reproduction IS 'Published figures and measured ones, on test: a row for each study on real headlines with such a cell whose prompt has no examples, or one row with NULLs.';
COMMENT ON COLUMN reproduction.kind IS 'base or fine-tuned.';
COMMENT ON COLUMN reproduction.learning_rate IS 'Peak learning rate; NULL for the base model.';
COMMENT ON COLUMN reproduction.epochs IS 'Passes over the train part; NULL for the base model.';
COMMENT ON COLUMN reproduction.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN reproduction.study_id IS 'The study that measured; NULL where none has yet.';
COMMENT ON COLUMN reproduction.cell_id IS 'The cell that was measured.';
COMMENT ON COLUMN reproduction.profile IS 'Profile of the study that measured; only `paper` follows the whole protocol.';
COMMENT ON COLUMN reproduction.model IS 'The base model of the measurement; the published one is Llama 2 7B.';
COMMENT ON COLUMN reproduction.seed IS 'Seed of the cell that was measured.';
COMMENT ON COLUMN reproduction.n IS 'Headlines that it was measured on; the study has 900.';
COMMENT ON COLUMN reproduction.published_accuracy IS 'Accuracy in the study.';
COMMENT ON COLUMN reproduction.measured_accuracy IS 'Accuracy here.';
COMMENT ON COLUMN reproduction.accuracy_difference IS 'Measured less published accuracy.';
COMMENT ON COLUMN reproduction.accuracy_in_interval IS 'Whether the published accuracy lies in the 95 % interval of the measured one.';
COMMENT ON COLUMN reproduction.published_macro_f1 IS 'Macro-F1 in the study.';
COMMENT ON COLUMN reproduction.measured_macro_f1 IS 'Macro-F1 here.';
COMMENT ON COLUMN reproduction.macro_f1_difference IS 'Measured less published macro-F1.';
COMMENT ON COLUMN reproduction.macro_f1_in_interval IS 'Whether the published macro-F1 lies in the 95 % interval of the measured one.';
COMMENT ON COLUMN reproduction.cell_name IS 'Readable name of the measured cell in its study.';


CREATE OR REPLACE VIEW epoch_curve AS
SELECT
    study_id,
    cell_id,
    learning_rate,
    epochs,
    seed,
    temperature,
    n,
    accuracy,
    accuracy_low,
    accuracy_high,
    macro_f1,
    macro_f1_low,
    macro_f1_high,
    cell_name,
    settings_but_epochs(with_base(settings, bases.base_revision)) AS settings
FROM leaderboard
JOIN (SELECT cell_id, base_revision FROM cells) AS bases USING (cell_id)
WHERE kind = 'fine-tuned' AND part = 'test'
ORDER BY study_id, learning_rate, seed, temperature, epochs, place;
COMMENT ON VIEW epoch_curve IS 'Accuracy and macro-F1 of fine-tuned cells on test, by epochs: figures 1 and 2 of the study.';
COMMENT ON COLUMN epoch_curve.study_id IS 'The study.';
COMMENT ON COLUMN epoch_curve.cell_id IS 'The cell.';
COMMENT ON COLUMN epoch_curve.learning_rate IS 'Peak learning rate.';
COMMENT ON COLUMN epoch_curve.epochs IS 'Passes over the train part.';
COMMENT ON COLUMN epoch_curve.seed IS 'Seed of initialisation, order and dropout.';
COMMENT ON COLUMN epoch_curve.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN epoch_curve.n IS 'Headlines evaluated.';
COMMENT ON COLUMN epoch_curve.accuracy IS 'Share of headlines whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN epoch_curve.accuracy_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN epoch_curve.accuracy_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN epoch_curve.macro_f1 IS 'Mean of the F1 of the labels that its headlines have.';
COMMENT ON COLUMN epoch_curve.macro_f1_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN epoch_curve.macro_f1_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN epoch_curve.cell_name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN epoch_curve.settings IS 'Its settings except the epochs, with the base model identified by its files: rows with the same settings belong to one curve.';


CREATE OR REPLACE VIEW leaderboard_over_seeds AS
SELECT
    study_id,
    model,
    learning_rate,
    epochs,
    part,
    temperature,
    count(*) AS seeds,
    any_value(n) AS n,
    avg(accuracy) AS accuracy_mean,
    stddev_samp(accuracy) AS accuracy_sd,
    min(accuracy) AS accuracy_min,
    max(accuracy) AS accuracy_max,
    avg(macro_f1) AS macro_f1_mean,
    stddev_samp(macro_f1) AS macro_f1_sd,
    avg(expected_accuracy) AS expected_accuracy_mean,
    stddev_samp(expected_accuracy) AS expected_accuracy_sd,
    coalesce(nullif(trim(regexp_replace(cell_name, '\bseed=[0-9]+ ?', '')), ''), 'any seed') AS cell_name,
    settings_but_seed(with_base(settings, bases.base_revision)) AS settings
FROM leaderboard
JOIN (SELECT cell_id, base_revision FROM cells) AS bases USING (cell_id)
WHERE kind = 'fine-tuned'
GROUP BY ALL
ORDER BY study_id, part, temperature, accuracy_mean DESC;
COMMENT ON VIEW leaderboard_over_seeds IS 'The fine-tuned cells of a study, with those that differ only in their seed in one row: how much of a figure is luck.';
COMMENT ON COLUMN leaderboard_over_seeds.study_id IS 'The study.';
COMMENT ON COLUMN leaderboard_over_seeds.model IS 'The base model.';
COMMENT ON COLUMN leaderboard_over_seeds.learning_rate IS 'Peak learning rate.';
COMMENT ON COLUMN leaderboard_over_seeds.epochs IS 'Passes over the train part.';
COMMENT ON COLUMN leaderboard_over_seeds.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN leaderboard_over_seeds.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN leaderboard_over_seeds.seeds IS 'Number of cells in the row, each with its own seed.';
COMMENT ON COLUMN leaderboard_over_seeds.n IS 'Headlines that each was evaluated on.';
COMMENT ON COLUMN leaderboard_over_seeds.accuracy_mean IS 'Mean over the seeds of the share of headlines whose sampled label is right.';
COMMENT ON COLUMN leaderboard_over_seeds.accuracy_sd IS 'Its standard deviation between seeds; NULL for one seed.';
COMMENT ON COLUMN leaderboard_over_seeds.accuracy_min IS 'Accuracy of the worst seed.';
COMMENT ON COLUMN leaderboard_over_seeds.accuracy_max IS 'Accuracy of the best seed.';
COMMENT ON COLUMN leaderboard_over_seeds.macro_f1_mean IS 'Mean over the seeds of the macro-F1.';
COMMENT ON COLUMN leaderboard_over_seeds.macro_f1_sd IS 'Its standard deviation between seeds; NULL for one seed.';
COMMENT ON COLUMN leaderboard_over_seeds.expected_accuracy_mean IS 'Mean over the seeds of the expected accuracy, which has no noise of draws.';
COMMENT ON COLUMN leaderboard_over_seeds.expected_accuracy_sd IS 'Its standard deviation between seeds; NULL for one seed.';
COMMENT ON COLUMN leaderboard_over_seeds.cell_name IS 'Readable name of the cells in this study, without the seed.';
COMMENT ON COLUMN leaderboard_over_seeds.settings IS 'Every setting that has an effect, except the seed, as JSON.';


CREATE OR REPLACE VIEW missing_cells AS
SELECT
    study_cells.study_id,
    cells.cell_id,
    cells.kind,
    cells.model,
    cells.learning_rate,
    cells.epochs,
    cells.seed,
    cells.status,
    cells.reason,
    cells.status = 'diverged' AND cells.reason IS NOT NULL AS is_final,
    study_cells.name AS cell_name
FROM study_cells
JOIN studies USING (study_id)
JOIN cells USING (cell_id)
LEFT JOIN (
    SELECT study_id, cell_id, count(*) AS n
    FROM ledger.cell_evaluations
    GROUP BY ALL
) AS done ON done.study_id = study_cells.study_id AND done.cell_id = study_cells.cell_id
ANTI JOIN ledger.drops ON drops.study_id = study_cells.study_id AND drops.cell_id = study_cells.cell_id
WHERE coalesce(done.n, 0) < CASE WHEN cells.kind = 'baseline' THEN 2 ELSE 2 * len(studies.temperatures) END
  -- A cell that pools the folds needs no evaluation itself: the cells of its folds are evaluated.
  AND (cells.kind = 'base' OR cells.split_id NOT IN (SELECT split_id FROM split_folds))
ORDER BY study_cells.study_id, study_cells.position;
COMMENT ON VIEW missing_cells IS 'Cells of a study that lack an evaluation, since they failed or have not run yet; dropped_cells has those that a race dropped.';
COMMENT ON COLUMN missing_cells.study_id IS 'The study.';
COMMENT ON COLUMN missing_cells.cell_id IS 'The cell.';
COMMENT ON COLUMN missing_cells.kind IS 'base, baseline or fine-tuned.';
COMMENT ON COLUMN missing_cells.model IS 'The base model, or the name of the baseline.';
COMMENT ON COLUMN missing_cells.learning_rate IS 'Peak learning rate; NULL unless fine-tuned.';
COMMENT ON COLUMN missing_cells.epochs IS 'Passes over the train part; NULL unless fine-tuned.';
COMMENT ON COLUMN missing_cells.seed IS 'Seed of initialisation, order and dropout; NULL where nothing is drawn.';
COMMENT ON COLUMN missing_cells.status IS 'planned, running, finished, diverged, failed or interrupted.';
COMMENT ON COLUMN missing_cells.reason IS 'Why it failed, or cannot be evaluated.';
COMMENT ON COLUMN missing_cells.is_final IS 'Whether it stays so: its training diverged, and its logits are NaN or infinite. The study is complete without it.';
COMMENT ON COLUMN missing_cells.cell_name IS 'Readable name of the cell in this study.';


CREATE OR REPLACE VIEW dropped_cells AS
SELECT
    drops.study_id,
    drops.cell_id,
    study_cells.name AS cell_name,
    'dropped' AS status,
    drops.epoch,
    drops.p_value,
    drops.bound,
    drops.n,
    drops.accuracy,
    drops.best_accuracy,
    drops.best_cell_id,
    best.name AS best_cell_name,
    drops.dropped_at
FROM ledger.drops
JOIN study_cells USING (study_id, cell_id)
JOIN study_cells AS best ON best.study_id = drops.study_id AND best.cell_id = drops.best_cell_id
ORDER BY drops.study_id, study_cells.position;
COMMENT ON VIEW dropped_cells IS 'Cells that a race dropped, since validation found their training significantly worse than the best at the end of an epoch.';
COMMENT ON COLUMN dropped_cells.study_id IS 'The study.';
COMMENT ON COLUMN dropped_cells.cell_id IS 'The cell, which the study does not train to its end.';
COMMENT ON COLUMN dropped_cells.cell_name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN dropped_cells.status IS 'dropped.';
COMMENT ON COLUMN dropped_cells.epoch IS 'The epoch at whose end it was dropped.';
COMMENT ON COLUMN dropped_cells.p_value IS 'P-value of McNemar''s exact test of its training against the best, not corrected.';
COMMENT ON COLUMN dropped_cells.bound IS 'The p-value up to which the race drops a cell: its level divided by the number of tests that it may make.';
COMMENT ON COLUMN dropped_cells.n IS 'Headlines of validation.';
COMMENT ON COLUMN dropped_cells.accuracy IS 'Share of them that its training answered right then, at the lowest temperature.';
COMMENT ON COLUMN dropped_cells.best_accuracy IS 'The same share for the best training.';
COMMENT ON COLUMN dropped_cells.best_cell_id IS 'A cell of the best training.';
COMMENT ON COLUMN dropped_cells.best_cell_name IS 'Readable name of that cell in this study.';
COMMENT ON COLUMN dropped_cells.dropped_at IS 'When it was dropped, UTC.';
