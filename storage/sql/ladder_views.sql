-- From cheap to costly: what each rung of the ladder brings and costs, and how both depend on the annotators' agreement.
-- Defined again whenever the warehouse is prepared.

CREATE OR REPLACE VIEW model_selection AS
WITH by_label AS (
    SELECT
        study_id,
        cell_id,
        temperature,
        label,
        avg(
            CASE label
                WHEN 'negative' THEN p_negative
                WHEN 'positive' THEN p_positive
                ELSE with_unparsed(p_neutral, p_unparsed)
            END
        ) AS expected
    FROM main.predictions
    WHERE part = 'validation' AND temperature IS NOT NULL
    GROUP BY ALL
),
figures AS (
    SELECT study_id, cell_id, temperature, round(avg(expected), 12) AS balanced_accuracy
    FROM by_label
    GROUP BY ALL
)
SELECT
    figures.study_id,
    study_cells.name AS cell_name,
    cells.model,
    cells.base_revision,
    figures.temperature,
    figures.balanced_accuracy,
    row_number() OVER (
        PARTITION BY figures.study_id
        ORDER BY
            figures.temperature,
            figures.balanced_accuracy DESC,
            cells.epochs,
            cells.learning_rate,
            cells.seed,
            study_cells.position
    ) AS choice,
    cells.cell_id
FROM figures
JOIN cells USING (cell_id)
JOIN study_cells USING (study_id, cell_id)
WHERE cells.kind = 'fine-tuned'
ORDER BY figures.study_id, choice;
COMMENT ON VIEW model_selection IS 'How validation ranks the fine-tuned cells of a study, and the figure by which it does: a row for each cell and temperature.';
COMMENT ON COLUMN model_selection.study_id IS 'The study.';
COMMENT ON COLUMN model_selection.cell_name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN model_selection.model IS 'Its base model.';
COMMENT ON COLUMN model_selection.base_revision IS 'The revision of that model, or the hash of its files.';
COMMENT ON COLUMN model_selection.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN model_selection.balanced_accuracy IS 'Expected accuracy on the headlines of each label of validation, averaged over the labels; to 12 digits, since the order of a sum may change the last ones.';
COMMENT ON COLUMN model_selection.choice IS 'From 1, the best: the highest balanced accuracy at the lowest temperature; in a tie the one with fewest epochs, then the lowest learning rate, the lowest seed, the first in the study.';
COMMENT ON COLUMN model_selection.cell_id IS 'The cell.';


CREATE OR REPLACE VIEW ledger.matthews AS
WITH counted AS (
    SELECT evaluation_id, count(*)::DOUBLE AS n, count_confusion(label, predicted) AS counts
    FROM ledger.predictions
    JOIN headlines USING (headline_id)
    GROUP BY evaluation_id
)
SELECT
    evaluation_id,
    coalesce(
        ((counts[1] + counts[5] + counts[9]) * n - list_inner_product(label_counts(counts), answer_counts(counts)))
        / nullif(
            sqrt(n ** 2 - list_inner_product(label_counts(counts), label_counts(counts)))
            * sqrt(n ** 2 - list_inner_product(answer_counts(counts), answer_counts(counts))),
            0
        ),
        0
    ) AS mcc
FROM counted;
COMMENT ON VIEW ledger.matthews IS 'Matthews'' correlation coefficient of the labels and the answers of an evaluation.';
COMMENT ON COLUMN ledger.matthews.evaluation_id IS 'The evaluation.';
COMMENT ON COLUMN ledger.matthews.mcc IS 'From -1 to 1 (Gorodkin 2004, for more than two labels): 0 for guessing, and where all labels or all answers are the same.';


CREATE OR REPLACE VIEW ledger.prices AS
WITH RECURSIVE trained AS MATERIALIZED (
    SELECT
        trainings.study_id,
        trainings.training_cell_id,
        trainings.cell_id,
        trainings.steps,
        cells.first_step,
        cells.train_seconds
    FROM ledger.trainings AS trainings
    JOIN cells USING (cell_id)
),
-- The cell from which each continued: the longest of its training that ends where it began, or before.
links AS MATERIALIZED (
    SELECT own.study_id, own.cell_id, own.train_seconds, shorter.cell_id AS previous
    FROM trained AS own
    LEFT JOIN trained AS shorter
        ON shorter.study_id = own.study_id
        AND shorter.training_cell_id = own.training_cell_id
        AND shorter.steps <= own.first_step
        AND shorter.steps < own.steps
    QUALIFY row_number() OVER (
        PARTITION BY own.study_id, own.cell_id ORDER BY shorter.steps DESC NULLS LAST, shorter.cell_id
    ) = 1
),
chain AS (
    SELECT study_id, cell_id, previous, train_seconds
    FROM links
    UNION ALL
    SELECT chain.study_id, chain.cell_id, links.previous, links.train_seconds
    FROM chain
    JOIN links ON links.study_id = chain.study_id AND links.cell_id = chain.previous
),
shared AS (
    SELECT study_id, cell_id, sum(train_seconds) AS train_seconds
    FROM chain
    GROUP BY ALL
)
SELECT
    study_cells.study_id,
    cells.cell_id,
    CASE
        WHEN cells.first_step > 0 THEN coalesce(shared.train_seconds, cells.train_seconds)
        ELSE cells.train_seconds
    END AS train_seconds
FROM study_cells
JOIN cells USING (cell_id)
LEFT JOIN shared USING (study_id, cell_id);
COMMENT ON VIEW ledger.prices IS 'Seconds that each cell of a study takes to train from the start, with those of the cells from which it continued.';
COMMENT ON COLUMN ledger.prices.study_id IS 'The study.';
COMMENT ON COLUMN ledger.prices.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.prices.train_seconds IS 'Seconds of its whole training, or of fitting a baseline; NULL for an untouched base.';


CREATE OR REPLACE VIEW ledger.rungs AS
WITH best AS (
    SELECT study_id, cell_id
    FROM model_selection
    QUALIFY choice = min(choice) OVER (PARTITION BY study_id, model, base_revision)
),
priced AS (
    SELECT
        places.study_id,
        places.cell_id,
        places.place,
        places.name,
        cells.kind,
        prices.train_seconds,
        cells.size_bytes,
        best.cell_id IS NOT NULL AS is_best_of_base
    FROM ledger.places AS places
    JOIN cells USING (cell_id)
    JOIN ledger.prices AS prices USING (study_id, cell_id)
    LEFT JOIN best ON best.study_id = places.study_id AND best.cell_id = places.cell_id
    WHERE NOT places.is_of_fold
)
SELECT
    study_id,
    cell_id,
    name,
    kind,
    train_seconds,
    size_bytes,
    is_best_of_base,
    row_number() OVER (
        PARTITION BY study_id
        ORDER BY
            list_position(['baseline', 'base', 'fine-tuned'], kind),
            train_seconds NULLS FIRST,
            size_bytes NULLS FIRST,
            place
    ) AS rung
FROM priced;
COMMENT ON VIEW ledger.rungs IS 'What each cell of a study costs, and its place from cheap to costly.';
COMMENT ON COLUMN ledger.rungs.study_id IS 'The study.';
COMMENT ON COLUMN ledger.rungs.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.rungs.name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN ledger.rungs.kind IS 'base, baseline or fine-tuned.';
COMMENT ON COLUMN ledger.rungs.train_seconds IS 'Seconds to train or fit it, with those of the cells of the study from which it continued.';
COMMENT ON COLUMN ledger.rungs.size_bytes IS 'Bytes on disk that it needs to answer; for an adapter, those of its base model too.';
COMMENT ON COLUMN ledger.rungs.is_best_of_base IS 'Whether validation chooses it among the fine-tunes of its base model.';
COMMENT ON COLUMN ledger.rungs.rung IS 'From 1: baselines, untouched bases, then fine-tunes, each by seconds to train.';


CREATE OR REPLACE VIEW ladder AS
SELECT
    leaderboard.study_id,
    rungs.rung,
    leaderboard.cell_name,
    leaderboard.kind,
    leaderboard.model,
    leaderboard.part,
    leaderboard.temperature,
    leaderboard.n,
    leaderboard.accuracy,
    leaderboard.accuracy_low,
    leaderboard.accuracy_high,
    leaderboard.macro_f1,
    leaderboard.macro_f1_low,
    leaderboard.macro_f1_high,
    matthews.mcc,
    evaluations.headlines_per_second,
    rungs.size_bytes,
    rungs.train_seconds,
    rungs.is_best_of_base,
    leaderboard.cell_id,
    leaderboard.evaluation_id
FROM leaderboard
JOIN ledger.rungs AS rungs ON rungs.study_id = leaderboard.study_id AND rungs.cell_id = leaderboard.cell_id
JOIN evaluations ON evaluations.evaluation_id = leaderboard.evaluation_id
LEFT JOIN ledger.matthews AS matthews ON matthews.evaluation_id = leaderboard.evaluation_id
ORDER BY leaderboard.study_id, leaderboard.part, rungs.rung, leaderboard.temperature;
COMMENT ON VIEW ladder IS 'What each step up from the cheapest baseline to the fine-tunes brings and costs: a row for each cell, part and temperature.';
COMMENT ON COLUMN ladder.study_id IS 'The study.';
COMMENT ON COLUMN ladder.rung IS 'Place of the cell from cheap to costly, from 1: baselines, untouched bases, then fine-tunes, each by seconds to train.';
COMMENT ON COLUMN ladder.cell_name IS 'Readable name of the cell in this study.';
COMMENT ON COLUMN ladder.kind IS 'base, baseline or fine-tuned.';
COMMENT ON COLUMN ladder.model IS 'The base model, or the name of the baseline.';
COMMENT ON COLUMN ladder.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN ladder.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN ladder.n IS 'Headlines evaluated.';
COMMENT ON COLUMN ladder.accuracy IS 'Share of headlines whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN ladder.accuracy_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN ladder.accuracy_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN ladder.macro_f1 IS 'Mean of the F1 of the labels that its headlines have.';
COMMENT ON COLUMN ladder.macro_f1_low IS 'Lower end of its 95 % interval; NULL where a label has fewer than 10 headlines.';
COMMENT ON COLUMN ladder.macro_f1_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN ladder.mcc IS 'Matthews'' correlation coefficient of labels and answers: 0 for guessing, 1 where all are right.';
COMMENT ON COLUMN ladder.headlines_per_second IS 'Headlines scored a second on this part, at all temperatures of the study at once.';
COMMENT ON COLUMN ladder.size_bytes IS 'Bytes on disk that it needs to answer; for an adapter, those of its base model too. NULL where an older version did not record it.';
COMMENT ON COLUMN ladder.train_seconds IS 'Seconds to train or fit it, with those of the cells of the study from which it continued; NULL for an untouched base.';
COMMENT ON COLUMN ladder.is_best_of_base IS 'Whether validation chooses it among the fine-tunes of its base model.';
COMMENT ON COLUMN ladder.cell_id IS 'The cell.';
COMMENT ON COLUMN ladder.evaluation_id IS 'The evaluation.';


CREATE OR REPLACE VIEW accuracy_by_agreement AS
WITH counted AS (
    SELECT
        predictions.study_id,
        predictions.cell_id,
        predictions.part,
        predictions.temperature,
        snapshot_headlines.agreement AS least,
        count(*) AS n,
        count(*) FILTER (predictions.predicted = predictions.label) AS hits,
        count_confusion(predictions.label, predictions.predicted) AS counts
    FROM predictions
    JOIN studies USING (study_id)
    JOIN snapshot_headlines USING (snapshot_id, headline_id)
    WHERE snapshot_headlines.agreement IS NOT NULL
    GROUP BY ALL
),
labelled AS (
    SELECT *, label_counts(counts) AS supports, len(list_filter(supports, lambda support: support > 0)) AS labels
    FROM counted
),
smoothed AS (
    SELECT
        *,
        list_transform(
            range(1, 10),
            lambda place: counts[place] + CASE WHEN supports[(place + 2) // 3] > 0 THEN 1 / (3 * labels) ELSE 0 END
        ) AS spread
    FROM labelled
),
weighed AS (
    SELECT
        *,
        f1_scores(counts) AS scores,
        f1_scores(spread) AS spread_scores,
        list_transform(
            range(1, 4),
            lambda label: CASE
                WHEN supports[label] > 0
                THEN (n + 1) / (labels * (label_counts(spread)[label] + answer_counts(spread)[label]))
                ELSE 0
            END
        ) AS weights
    FROM smoothed
),
influenced AS (
    SELECT
        *,
        list_sum(scores) / labels AS macro_f1,
        list_sum(
            list_transform(range(1, 4), lambda label: CASE WHEN supports[label] > 0 THEN spread_scores[label] ELSE 0 END)
        ) / labels AS spread_f1,
        list_transform(
            range(1, 10),
            lambda place: CASE WHEN place IN (1, 5, 9) THEN 2 * weights[(place + 2) // 3] ELSE 0 END
            - weights[(place + 2) // 3] * spread_scores[(place + 2) // 3]
            - weights[(place + 2) % 3 + 1] * spread_scores[(place + 2) % 3 + 1]
        ) AS influences
    FROM weighed
),
varied AS (
    SELECT
        *,
        list_inner_product(spread, list_transform(influences, lambda influence: influence ** 2)) / (n + 1)
        - (list_inner_product(spread, influences) / (n + 1)) ** 2 AS variance,
        CASE
            WHEN list_min(list_filter(supports, lambda support: support > 0)) >= 10
            THEN n * spread_f1 * (1 - spread_f1) / variance
        END AS worth
    FROM influenced
)
SELECT
    study_id,
    cell_id,
    part,
    temperature,
    CASE least WHEN 50 THEN '50-65 %' WHEN 66 THEN '66-74 %' WHEN 75 THEN '75-99 %' ELSE '100 %' END AS agreement,
    n,
    hits / n AS accuracy,
    hits_low(hits, n) AS accuracy_low,
    hits_high(hits, n) AS accuracy_high,
    macro_f1,
    share_low(macro_f1, worth) AS macro_f1_low,
    1 - share_low(1 - macro_f1, worth) AS macro_f1_high,
    least AS least_agreement
FROM varied
ORDER BY study_id, cell_id, part, temperature, least_agreement;
COMMENT ON VIEW accuracy_by_agreement IS 'How accurate a cell is, by how many annotators agree on the label: a row for each level, part and temperature. No rows where the source does not have the agreement.';
COMMENT ON COLUMN accuracy_by_agreement.study_id IS 'The study.';
COMMENT ON COLUMN accuracy_by_agreement.cell_id IS 'The cell.';
COMMENT ON COLUMN accuracy_by_agreement.part IS 'The part of the split: validation or test.';
COMMENT ON COLUMN accuracy_by_agreement.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN accuracy_by_agreement.agreement IS 'Share of the annotators that agree on the label: 50-65 %, 66-74 %, 75-99 % or 100 %. FinancialPhraseBank''s files are nested; a headline''s level is that of the strictest file that holds it.';
COMMENT ON COLUMN accuracy_by_agreement.n IS 'Headlines of this level.';
COMMENT ON COLUMN accuracy_by_agreement.accuracy IS 'Share of them whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN accuracy_by_agreement.accuracy_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN accuracy_by_agreement.accuracy_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN accuracy_by_agreement.macro_f1 IS 'Mean of the F1 of the labels that headlines of this level have.';
COMMENT ON COLUMN accuracy_by_agreement.macro_f1_low IS 'Lower end of its 95 % interval; NULL where a label has fewer than 10 of the headlines. The same formula in Python, with its reason: macro_f1_interval of learning/study/intervals.py.';
COMMENT ON COLUMN accuracy_by_agreement.macro_f1_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN accuracy_by_agreement.least_agreement IS 'The level as a number, to sort by: 50, 66, 75 or 100.';
