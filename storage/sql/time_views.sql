-- Answers by the time of publication: how accurate a cell was by week and month, and what each champion answered.

CREATE OR REPLACE VIEW ledger.scored_headlines AS
WITH every AS (
    SELECT
        scores.*,
        scorings.decoding_id,
        scorings.started_at,
        upper(trim(scores.instrument)) AS about,
        min(scores.text_id) OVER (
            PARTITION BY scores.cell_id, scores.temperature, scorings.decoding_id, scores.text
        ) AS first_id
    FROM main.scores
    JOIN scorings USING (scoring_id)
),
-- Where the prompt shows an instrument or a context, one text has an identity for each of them.
said AS (
    SELECT *, min(first_id) OVER (PARTITION BY cell_id, temperature, decoding_id, text_id) AS wording
    FROM every
),
-- One file may have the time or the instrument of a headline, and another lack it: the text is the same headline.
dated AS (
    SELECT
        *,
        coalesce(
            published_at,
            min(published_at) OVER (PARTITION BY cell_id, temperature, decoding_id, wording, about),
            min(published_at) FILTER (about IS NULL) OVER of_text,
            CASE WHEN about IS NULL THEN min(published_at) OVER of_text END
        ) AS dated_at
    FROM said
    WINDOW of_text AS (PARTITION BY cell_id, temperature, decoding_id, wording)
),
named AS (
    SELECT
        *,
        coalesce(about, min(about) OVER alike) AS subject,
        coalesce(instrument, min(instrument) OVER alike) AS named_instrument
    FROM dated
    WINDOW alike AS (PARTITION BY cell_id, temperature, decoding_id, wording, dated_at::DATE)
)
SELECT
    scores.cell_id,
    scores.temperature,
    scores.decoding_id,
    scores.text_id,
    max(scores.dated_at) OVER headline AS published_at, -- a file with days only has their first moment
    scores.named_instrument AS instrument,
    scores.text,
    scores.label,
    scores.confidence,
    scores.true_label,
    answered_label(p_negative, p_neutral, p_positive, p_unparsed, 'neutral') = scores.true_label AS is_right,
    scores.in_sample,
    scores.part,
    scores.true_label IS NOT NULL AND scores.part IS NULL AND NOT coalesce(scores.in_sample, true) AS is_fresh,
    scores.scored_at,
    scores.dated_at::DATE <= cutoffs.trained_until AS before_cutoff
FROM named AS scores
LEFT JOIN ledger.cutoffs AS cutoffs ON cutoffs.cell_id = scores.cell_id
WINDOW headline AS (
    PARTITION BY
        scores.cell_id,
        scores.temperature,
        scores.decoding_id,
        scores.wording,
        scores.dated_at::DATE,
        scores.subject
)
QUALIFY row_number() OVER (
    headline ORDER BY scores.true_label IS NULL, scores.started_at DESC, scores.scoring_id, scores.row_number
) = 1;
COMMENT ON VIEW ledger.scored_headlines IS 'Each headline that a cell has scored, once for a day, however many sources and rows hold it, with or without its time and its instrument. Its label is that of the latest scoring with labels.';
COMMENT ON COLUMN ledger.scored_headlines.cell_id IS 'The cell that scored.';
COMMENT ON COLUMN ledger.scored_headlines.temperature IS 'Sampling temperature of the probabilities.';
COMMENT ON COLUMN ledger.scored_headlines.decoding_id IS 'Identity of top-k, top-p and the seed of the draws.';
COMMENT ON COLUMN ledger.scored_headlines.text_id IS 'Identity of the text. With published_at and instrument, it is that of the headline.';
COMMENT ON COLUMN ledger.scored_headlines.published_at IS 'When it was published, UTC, the latest time of its day where sources differ; NULL where no source has it.';
COMMENT ON COLUMN ledger.scored_headlines.instrument IS 'The ticker, ISIN or entity that it is about; NULL where no source has it.';
COMMENT ON COLUMN ledger.scored_headlines.text IS 'The headline.';
COMMENT ON COLUMN ledger.scored_headlines.label IS 'The answer, as in scores.';
COMMENT ON COLUMN ledger.scored_headlines.confidence IS 'Its confidence, as in scores.';
COMMENT ON COLUMN ledger.scored_headlines.true_label IS 'The label of the source; NULL where none is known.';
COMMENT ON COLUMN ledger.scored_headlines.is_right IS 'Whether the answer is right, where the probability of anything unparsed counts as that of neutral, as in an evaluation; NULL where no label is known.';
COMMENT ON COLUMN ledger.scored_headlines.in_sample IS 'Whether the cell was trained on the text; NULL where an older version scored it.';
COMMENT ON COLUMN ledger.scored_headlines.part IS 'The part of the split of the cell that holds the text; unplaced where its study had the text, in no part; NULL where it is new.';
COMMENT ON COLUMN ledger.scored_headlines.is_fresh IS 'Whether it has a label and the study of the cell did not have it, so it shows how accurate the cell has been since its study.';
COMMENT ON COLUMN ledger.scored_headlines.scored_at IS 'When the adapter first scored the text, UTC.';
COMMENT ON COLUMN ledger.scored_headlines.before_cutoff IS 'Whether the base model may have read it when it was pretrained, as in scores.';


CREATE OR REPLACE VIEW accuracy_over_time AS
WITH answered AS (
    SELECT
        'test' AS origin,
        predictions.study_id,
        predictions.cell_id,
        predictions.temperature,
        headlines.published_at,
        studies.decoding_id,
        predictions.predicted = predictions.label AS is_right,
        headlines.published_at::DATE <= study_cells.trained_until AS before_cutoff
    FROM predictions
    JOIN headlines USING (headline_id)
    JOIN studies USING (study_id)
    JOIN study_cells USING (study_id, cell_id)
    WHERE predictions.part = 'test' AND headlines.published_at IS NOT NULL
    UNION ALL
    SELECT 'scored' AS origin, NULL AS study_id, cell_id, temperature, published_at, decoding_id, is_right, before_cutoff
    FROM ledger.scored_headlines
    WHERE is_fresh AND published_at IS NOT NULL
),
counted AS (
    SELECT
        origin,
        study_id,
        cell_id,
        temperature,
        decoding_id,
        period,
        date_trunc(period, published_at)::DATE AS begins,
        count(*) AS n,
        count(*) FILTER (is_right) AS hits,
        sum(before_cutoff::INTEGER)::BIGINT AS n_before_cutoff
    FROM answered, (VALUES ('week'), ('month'), ('quarter'), ('year')) AS periods (period)
    GROUP BY ALL
)
SELECT
    counted.origin,
    counted.study_id,
    counted.cell_id,
    places.name AS cell_name,
    cells.kind,
    cells.model,
    counted.temperature,
    counted.period,
    counted.begins,
    counted.n,
    counted.hits / counted.n AS accuracy,
    hits_low(counted.hits, counted.n) AS accuracy_low,
    hits_high(counted.hits, counted.n) AS accuracy_high,
    counted.n_before_cutoff,
    counted.decoding_id
FROM counted
LEFT JOIN cells USING (cell_id) -- scored answers stay where a study was deleted
LEFT JOIN ledger.places AS places USING (study_id, cell_id)
ORDER BY counted.origin, counted.study_id, places.place, counted.temperature, counted.decoding_id, counted.period, counted.begins;
COMMENT ON VIEW accuracy_over_time IS 'How often a cell was right on the headlines of a week, a month, a quarter or a year: of the test part of a study, and of sources that were scored with --evaluate.';
COMMENT ON COLUMN accuracy_over_time.origin IS 'test: the test part of a study. scored: sources that were scored with --evaluate, each headline once, without those in the split of the cell.';
COMMENT ON COLUMN accuracy_over_time.study_id IS 'The study; NULL for what was scored.';
COMMENT ON COLUMN accuracy_over_time.cell_id IS 'The cell.';
COMMENT ON COLUMN accuracy_over_time.cell_name IS 'Readable name of the cell in the study.';
COMMENT ON COLUMN accuracy_over_time.kind IS 'base, baseline or fine-tuned; NULL where its study was deleted.';
COMMENT ON COLUMN accuracy_over_time.model IS 'Its base model, or the baseline; NULL where its study was deleted.';
COMMENT ON COLUMN accuracy_over_time.temperature IS 'Sampling temperature; NULL for a baseline.';
COMMENT ON COLUMN accuracy_over_time.period IS 'week, from Monday, month, quarter or year; in UTC.';
COMMENT ON COLUMN accuracy_over_time.begins IS 'Its first day.';
COMMENT ON COLUMN accuracy_over_time.n IS 'Headlines published in it.';
COMMENT ON COLUMN accuracy_over_time.accuracy IS 'Share of them whose label is right; anything unparsed counts as neutral. Sampled labels in a study, the likeliest labels in what was scored.';
COMMENT ON COLUMN accuracy_over_time.accuracy_low IS 'Lower end of its 95 % interval (Wilson; where all or none are right, the exact one-sided bound).';
COMMENT ON COLUMN accuracy_over_time.accuracy_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN accuracy_over_time.n_before_cutoff IS 'How many of them its base model may have read when it was pretrained, since they are not later than base_model.trained_until; NULL where that is unknown.';
COMMENT ON COLUMN accuracy_over_time.decoding_id IS 'Identity of top-k, top-p and the seed of the draws: of the study, or of the scorings. Rows of several decodings count the same headlines.';


CREATE OR REPLACE VIEW ledger.reigns AS
WITH changes AS (
    SELECT number, champion_cell_id, champion_temperature, decided_at
    FROM champions
    QUALIFY champion_cell_id IS DISTINCT FROM lag(champion_cell_id) OVER (ORDER BY number)
        OR champion_temperature IS DISTINCT FROM lag(champion_temperature) OVER (ORDER BY number)
),
reigns AS (
    SELECT
        number,
        champion_cell_id AS cell_id,
        champion_temperature AS temperature,
        decided_at AS reigned_from,
        lead(decided_at) OVER (ORDER BY number) AS reigned_until
    FROM changes
)
FROM reigns
WHERE cell_id IS NOT NULL;
COMMENT ON VIEW ledger.reigns IS 'From when to when each cell was champion at one temperature; a cell that becomes champion again has another reign. A decision that changed nothing ends none.';
COMMENT ON COLUMN ledger.reigns.number IS 'Number of the decision with which it began, as in champions.';
COMMENT ON COLUMN ledger.reigns.cell_id IS 'The champion.';
COMMENT ON COLUMN ledger.reigns.temperature IS 'Sampling temperature at which it was used.';
COMMENT ON COLUMN ledger.reigns.reigned_from IS 'When it became champion, UTC; it was champion at that moment.';
COMMENT ON COLUMN ledger.reigns.reigned_until IS 'When another cell became champion, UTC; at that moment it no longer was. NULL for the champion now.';


CREATE OR REPLACE VIEW champion_history AS
WITH on_test AS (
    SELECT
        reigns.number,
        headlines.text_id,
        headlines.published_at,
        headlines.instrument,
        headlines.text,
        answered_label(p_negative, p_neutral, p_positive, p_unparsed, 'label') AS label,
        answered_confidence(p_negative, p_neutral, p_positive, p_unparsed, 'label') AS confidence,
        headlines.label AS true_label,
        answered_label(p_negative, p_neutral, p_positive, p_unparsed, 'neutral') = headlines.label AS is_right,
        EXISTS (
            FROM splits
            JOIN cells USING (split_id)
            JOIN headlines AS learned ON learned.headline_id = splits.headline_id
            WHERE cells.cell_id = reigns.cell_id AND splits.part = 'train' AND learned.text_id = headlines.text_id
        ) AS in_sample,
        'test' AS origin,
        evaluations.evaluated_at AS answered_at
    FROM ledger.reigns AS reigns
    JOIN evaluations
        ON evaluations.cell_id = reigns.cell_id
        AND evaluations.temperature = reigns.temperature
        AND evaluations.part = 'test'
    JOIN ledger.predictions USING (evaluation_id)
    JOIN headlines
        ON headlines.headline_id = ledger.predictions.headline_id
        AND in_reign(headlines.published_at, reigns.reigned_from, reigns.reigned_until)
),
on_scored AS (
    SELECT
        reigns.number,
        scored.text_id,
        scored.published_at,
        scored.instrument,
        scored.text,
        scored.label,
        scored.confidence,
        scored.true_label,
        scored.is_right,
        scored.in_sample,
        'scored' AS origin,
        scored.scored_at AS answered_at
    FROM ledger.reigns AS reigns
    JOIN ledger.scored_headlines AS scored
        ON scored.cell_id = reigns.cell_id
        AND scored.temperature = reigns.temperature
        AND in_reign(scored.published_at, reigns.reigned_from, reigns.reigned_until)
),
answered AS (
    SELECT *, min(text_id) OVER (PARTITION BY number, text) AS first_id
    FROM (FROM on_test UNION ALL BY NAME FROM on_scored)
),
said AS (
    SELECT *, min(first_id) OVER (PARTITION BY number, text_id) AS wording
    FROM answered
),
named AS (
    SELECT
        *,
        coalesce(
            upper(trim(instrument)),
            min(upper(trim(instrument))) OVER (PARTITION BY number, wording, published_at::DATE)
        ) AS subject
    FROM said
),
once AS (
    FROM named
    QUALIFY row_number() OVER (
        PARTITION BY number, wording, published_at::DATE, subject ORDER BY origin = 'scored', answered_at DESC
    ) = 1
)
SELECT
    reigns.cell_id,
    latest.name AS cell_name,
    cells.model,
    reigns.temperature,
    reigns.reigned_from,
    reigns.reigned_until,
    once.published_at,
    once.text,
    once.instrument,
    once.label,
    once.confidence,
    once.true_label,
    once.is_right,
    once.in_sample,
    once.origin
FROM once
JOIN ledger.reigns AS reigns USING (number)
LEFT JOIN cells ON cells.cell_id = reigns.cell_id -- a former champion's study may have been deleted
LEFT JOIN ledger.latest_studies AS latest ON latest.cell_id = reigns.cell_id
ORDER BY reigns.number, once.published_at, once.text, once.instrument;
COMMENT ON VIEW champion_history IS 'The answer of the champion of the time to each dated headline: one row for each headline that was published in a reign and that this champion has answered. A reign without such a headline has no row; champions has every decision.';
COMMENT ON COLUMN champion_history.cell_id IS 'The champion when the headline was published.';
COMMENT ON COLUMN champion_history.cell_name IS 'Its readable name in its latest study; NULL where that was deleted.';
COMMENT ON COLUMN champion_history.model IS 'Its base model; NULL where its study was deleted.';
COMMENT ON COLUMN champion_history.temperature IS 'Sampling temperature at which it was champion and answered.';
COMMENT ON COLUMN champion_history.reigned_from IS 'When its reign began, UTC.';
COMMENT ON COLUMN champion_history.reigned_until IS 'When the next one began, UTC, which is not part of it; NULL for the champion now.';
COMMENT ON COLUMN champion_history.published_at IS 'When the headline was published, UTC: at reigned_from or later, and before reigned_until.';
COMMENT ON COLUMN champion_history.text IS 'The headline.';
COMMENT ON COLUMN champion_history.instrument IS 'The ticker, ISIN or entity that it is about; NULL where no source has it.';
COMMENT ON COLUMN champion_history.label IS 'Its likeliest answer, whenever it answered: negative, neutral, positive or unparsed.';
COMMENT ON COLUMN champion_history.confidence IS 'Probability of the label, as in scores.';
COMMENT ON COLUMN champion_history.true_label IS 'The label of the study, or of score --evaluate; NULL where none is known.';
COMMENT ON COLUMN champion_history.is_right IS 'Whether the answer is right, where the probability of anything unparsed counts as that of neutral, as in an evaluation; NULL where no label is known.';
COMMENT ON COLUMN champion_history.in_sample IS 'Whether the champion was trained on the text; NULL where an older version scored it.';
COMMENT ON COLUMN champion_history.origin IS 'test: answered for the test part of a study, its own or a later one. scored: answered only by `fintone score`, with or without --evaluate.';
