-- Figures of single folds, and how much they vary. Defined again whenever the warehouse is prepared.

CREATE OR REPLACE VIEW ledger.split_parts AS
SELECT split_id, part, headline_id
FROM splits
UNION ALL
SELECT split_folds.split_id, splits.part, splits.headline_id
FROM split_folds
JOIN splits ON splits.split_id = split_folds.fold_split_id AND splits.part = 'validation';
COMMENT ON VIEW ledger.split_parts IS 'Which headline is in which part. In the split of all folds together, every headline is in test, and those that are in validation of a fold are in validation as well.';
COMMENT ON COLUMN ledger.split_parts.split_id IS 'The split.';
COMMENT ON COLUMN ledger.split_parts.part IS 'train, validation or test.';
COMMENT ON COLUMN ledger.split_parts.headline_id IS 'The headline.';


CREATE OR REPLACE VIEW leaderboard_by_fold AS
WITH counted AS (
    SELECT
        predictions.study_id,
        predictions.cell_id,
        split_folds.fold,
        predictions.temperature,
        count(*) AS n,
        count(*) FILTER (predictions.predicted = predictions.label) AS hits,
        count_confusion(predictions.label, predictions.predicted) AS counts
    FROM studies
    JOIN split_folds USING (split_id)
    JOIN predictions USING (study_id)
    JOIN splits
        ON splits.split_id = split_folds.fold_split_id
        AND splits.headline_id = predictions.headline_id
        AND splits.part = 'test'
    WHERE predictions.part = 'test'
    GROUP BY ALL
)
SELECT
    counted.study_id,
    counted.cell_id,
    places.name AS cell_name,
    counted.fold,
    counted.temperature,
    counted.n,
    counted.hits / counted.n AS accuracy,
    list_sum(f1_scores(counted.counts))
        / len(list_filter(label_counts(counted.counts), lambda headlines: headlines > 0)) AS macro_f1
FROM counted
JOIN ledger.places AS places USING (study_id, cell_id)
ORDER BY counted.study_id, places.place, counted.temperature, counted.fold;
COMMENT ON VIEW leaderboard_by_fold IS 'The figures of each fold of a study with split.folds, or each window of one with split.windows: its test headlines, answered by a model that was trained on other folds, or on earlier news.';
COMMENT ON COLUMN leaderboard_by_fold.study_id IS 'The study.';
COMMENT ON COLUMN leaderboard_by_fold.cell_id IS 'The cell that pools the folds.';
COMMENT ON COLUMN leaderboard_by_fold.cell_name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN leaderboard_by_fold.fold IS 'Number of the fold, or of the window, from 1.';
COMMENT ON COLUMN leaderboard_by_fold.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN leaderboard_by_fold.n IS 'Headlines of the fold.';
COMMENT ON COLUMN leaderboard_by_fold.accuracy IS 'Share of them whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN leaderboard_by_fold.macro_f1 IS 'Mean of the F1 of the labels that they have.';


CREATE OR REPLACE VIEW leaderboard_over_folds AS
SELECT
    study_id,
    cell_id,
    any_value(cell_name) AS cell_name,
    temperature,
    count(*) AS folds,
    avg(accuracy) AS accuracy_mean,
    stddev_samp(accuracy) AS accuracy_sd,
    min(accuracy) AS accuracy_min,
    max(accuracy) AS accuracy_max,
    avg(macro_f1) AS macro_f1_mean,
    stddev_samp(macro_f1) AS macro_f1_sd
FROM leaderboard_by_fold
GROUP BY study_id, cell_id, temperature
ORDER BY study_id, temperature, accuracy_mean DESC;
COMMENT ON VIEW leaderboard_over_folds IS 'How much the folds of a study vary, for each cell; leaderboard has the figures of all their headlines together.';
COMMENT ON COLUMN leaderboard_over_folds.study_id IS 'The study.';
COMMENT ON COLUMN leaderboard_over_folds.cell_id IS 'The cell that pools the folds.';
COMMENT ON COLUMN leaderboard_over_folds.cell_name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN leaderboard_over_folds.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN leaderboard_over_folds.folds IS 'Number of folds.';
COMMENT ON COLUMN leaderboard_over_folds.accuracy_mean IS 'Mean over the folds of the share of headlines whose sampled label is right.';
COMMENT ON COLUMN leaderboard_over_folds.accuracy_sd IS 'Its standard deviation between folds.';
COMMENT ON COLUMN leaderboard_over_folds.accuracy_min IS 'Accuracy of the worst fold.';
COMMENT ON COLUMN leaderboard_over_folds.accuracy_max IS 'Accuracy of the best fold.';
COMMENT ON COLUMN leaderboard_over_folds.macro_f1_mean IS 'Mean over the folds of the macro-F1.';
COMMENT ON COLUMN leaderboard_over_folds.macro_f1_sd IS 'Its standard deviation between folds.';
