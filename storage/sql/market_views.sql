-- Sentiment by session, and how returns follow it. Defined again whenever the warehouse is prepared.

CREATE OR REPLACE VIEW dated_answers AS
WITH learned AS (
    SELECT splits.split_id, max(coalesce(headlines.published_at, sources.ingested_at)) AS trained_to
    FROM splits
    JOIN headlines USING (headline_id)
    JOIN sources ON sources.ingest_id = headlines.first_ingest_id
    WHERE splits.part <> 'test'
    GROUP BY splits.split_id
),
zones AS (
    SELECT
        study_cells.cell_id,
        nullif(arg_max(studies.config ->> '$.data.timezone', studies.number), 'localtime') AS timezone
    FROM study_cells
    JOIN studies USING (study_id)
    GROUP BY study_cells.cell_id
),
trained_on AS (
    SELECT DISTINCT splits.split_id, headlines.text_id
    FROM splits
    JOIN headlines USING (headline_id)
    WHERE splits.part = 'train'
),
tested_in AS (
    SELECT split_folds.split_id, splits.headline_id, split_folds.fold_split_id
    FROM split_folds
    JOIN splits ON splits.split_id = split_folds.fold_split_id AND splits.part = 'test'
),
uses AS (
    SELECT cell_id, temperature, {'scored': false, 'at': evaluated_at, 'decoding_id': decoding_id} AS used
    FROM evaluations
    UNION ALL
    SELECT cell_id, temperature, {'scored': true, 'at': started_at, 'decoding_id': decoding_id}
    FROM scorings
),
latest AS (
    SELECT cell_id, temperature, max(used).decoding_id AS decoding_id
    FROM uses
    GROUP BY cell_id, temperature
),
answered AS (
    SELECT
        'test' AS origin,
        evaluations.cell_id,
        evaluations.temperature,
        evaluations.decoding_id,
        headlines.text,
        headlines.published_at,
        upper(trim(headlines.instrument)) AS instrument,
        predictions.p_negative,
        predictions.p_neutral,
        predictions.p_positive,
        trained_on.text_id IS NOT NULL AS in_sample,
        NULL::VARCHAR AS timezone,
        -- Another study may have judged the cell on its test part: what the cell learned from is its own split.
        coalesce(tested_in.fold_split_id, cells.split_id) AS split_id
    FROM evaluations
    JOIN cells USING (cell_id)
    JOIN ledger.predictions AS predictions USING (evaluation_id)
    JOIN headlines USING (headline_id)
    LEFT JOIN tested_in
        ON tested_in.split_id = evaluations.split_id AND tested_in.headline_id = predictions.headline_id
    LEFT JOIN trained_on
        ON trained_on.split_id = coalesce(tested_in.fold_split_id, cells.split_id)
        AND trained_on.text_id = headlines.text_id
    WHERE
        evaluations.part = 'test'
        AND headlines.published_at IS NOT NULL
        AND predictions.p_positive IS NOT NULL
    UNION ALL
    SELECT
        'scored',
        scores.cell_id,
        scores.temperature,
        scorings.decoding_id,
        scores.text,
        scores.published_at,
        upper(trim(scores.instrument)),
        scores.p_negative,
        scores.p_neutral,
        scores.p_positive,
        coalesce(scores.in_sample, true),
        scorings.timezone,
        cells.split_id
    FROM scores
    JOIN scorings USING (scoring_id)
    LEFT JOIN cells ON cells.cell_id = scores.cell_id -- answers stay where a study was deleted
    WHERE scores.published_at IS NOT NULL
),
of_one_decoding AS (
    SELECT answered.*
    FROM answered
    JOIN latest
        ON latest.cell_id = answered.cell_id
        AND latest.temperature IS NOT DISTINCT FROM answered.temperature
        AND latest.decoding_id IS NOT DISTINCT FROM answered.decoding_id
    -- A row without an instrument is the same headline as one of that text and time with an instrument.
    QUALIFY instrument IS NOT NULL OR count(instrument) OVER (
        PARTITION BY answered.cell_id, answered.temperature, text, published_at
    ) = 0
),
zoned AS (
    SELECT of_one_decoding.* REPLACE (coalesce(of_one_decoding.timezone, zones.timezone, 'UTC') AS timezone)
    FROM of_one_decoding
    LEFT JOIN zones USING (cell_id)
)
SELECT DISTINCT ON (zoned.cell_id, zoned.temperature, text, published_at, instrument)
    origin,
    zoned.cell_id,
    zoned.temperature,
    text,
    published_at,
    instrument,
    p_negative,
    p_neutral,
    p_positive,
    in_sample,
    trained_to,
    NOT in_sample AND coalesce(published_at > trained_to, false) AS counts,
    published_at::DATE <= cutoffs.trained_until AS before_cutoff,
    reigns.number IS NOT NULL AS by_champion,
    timezone
FROM zoned
LEFT JOIN learned USING (split_id)
LEFT JOIN ledger.cutoffs AS cutoffs USING (cell_id)
LEFT JOIN ledger.reigns AS reigns
    ON reigns.cell_id = zoned.cell_id
    AND reigns.temperature = zoned.temperature
    AND in_reign(zoned.published_at, reigns.reigned_from, reigns.reigned_until)
ORDER BY
    zoned.cell_id,
    zoned.temperature,
    text,
    published_at,
    instrument,
    in_sample,
    origin = 'scored',
    p_positive,
    p_negative,
    -- of several zones, one in which it is a date without a time, known at the end of its day
    (published_at AT TIME ZONE 'UTC' AT TIME ZONE timezone)::TIME <> TIME '00:00:00',
    timezone;
COMMENT ON VIEW dated_answers IS 'The answers of each cell to headlines with a date, each once: those of test parts that it was judged on, and those of scored sources; of several decodings at a temperature, those of the one by which it scored last.';
COMMENT ON COLUMN dated_answers.origin IS 'test: answered for the test part of a study. scored: answered for a scored source.';
COMMENT ON COLUMN dated_answers.cell_id IS 'The cell.';
COMMENT ON COLUMN dated_answers.temperature IS 'Sampling temperature; NULL for a baseline.';
COMMENT ON COLUMN dated_answers.text IS 'The headline.';
COMMENT ON COLUMN dated_answers.published_at IS 'When it was published, UTC.';
COMMENT ON COLUMN dated_answers.instrument IS 'The ticker, ISIN or entity that it is about, in capitals; NULL where the source does not have it.';
COMMENT ON COLUMN dated_answers.p_negative IS 'Probability of sampling negative.';
COMMENT ON COLUMN dated_answers.p_neutral IS 'Probability of sampling neutral.';
COMMENT ON COLUMN dated_answers.p_positive IS 'Probability of sampling positive.';
COMMENT ON COLUMN dated_answers.in_sample IS 'Whether the cell was trained on the text, or this is unknown.';
COMMENT ON COLUMN dated_answers.trained_to IS 'The latest time of what the cell was trained and chosen on, UTC; headlines without a date have the time of their ingestion; NULL where its study was deleted.';
COMMENT ON COLUMN dated_answers.counts IS 'Whether the headline is later than trained_to and not in_sample, so the answer cannot depend on what happened after it.';
COMMENT ON COLUMN dated_answers.before_cutoff IS 'Whether its base model may have read the headline when it was pretrained (base_model.trained_until); NULL where that is unknown.';
COMMENT ON COLUMN dated_answers.by_champion IS 'Whether the cell was champion, at this temperature, when the headline was published; a date without a time counts as midnight.';
COMMENT ON COLUMN dated_answers.timezone IS 'Time zone in which a date that names none was read, so that one without a time is midnight there; that of the study for a test part, and where an older version scored.';


CREATE OR REPLACE VIEW daily_sentiment AS
WITH answers AS (
    SELECT
        markets.market_id,
        dated_answers.instrument,
        dated_answers.p_positive - dated_answers.p_negative AS sentiment,
        dated_answers.in_sample,
        dated_answers.counts,
        dated_answers.before_cutoff,
        CASE
            WHEN (
                published_at AT TIME ZONE 'UTC' AT TIME ZONE coalesce(markets.timezone, dated_answers.timezone)
            )::TIME = TIME '00:00:00'
            THEN published_at + INTERVAL 1 DAY
            ELSE published_at
        END AS known_at
    FROM markets
    JOIN dated_answers
        ON (dated_answers.cell_id = markets.cell_id AND dated_answers.temperature = markets.temperature)
        OR (markets.cell_id IS NULL AND dated_answers.by_champion)
),
placed AS (
    SELECT answers.*, sessions.session
    FROM answers
    ASOF JOIN ledger.market_sessions AS sessions
        ON sessions.market_id = answers.market_id AND answers.known_at <= sessions.closes_at
    WHERE sessions.since IS NOT NULL -- of the first session it is unknown when it begins
),
grouped AS (
    SELECT
        market_id,
        session,
        instrument,
        grouping(instrument) AS is_overall,
        count(*) FILTER (counts) AS n,
        round(avg(sentiment) FILTER (counts), 12) AS sentiment, -- the order of additions, which varies, has no effect
        round(stddev_samp(sentiment) FILTER (counts), 12) AS dispersion,
        count(*) FILTER (in_sample) AS n_in_sample,
        count(*) FILTER (NOT in_sample AND NOT counts) AS n_not_later,
        count(*) FILTER (counts AND before_cutoff) AS n_before_cutoff
    FROM placed
    GROUP BY GROUPING SETS ((market_id, session, instrument), (market_id, session))
)
SELECT
    grouped.market_id,
    grouped.session,
    grouped.instrument,
    grouped.n,
    grouped.sentiment,
    grouped.dispersion,
    grouped.n_in_sample,
    grouped.n_not_later,
    grouped.n_before_cutoff,
    prices.price
FROM grouped
LEFT JOIN ledger.market_prices AS prices USING (market_id, session, instrument)
WHERE grouped.is_overall = 1 OR grouped.instrument IS NOT NULL
ORDER BY grouped.market_id, grouped.instrument NULLS FIRST, grouped.session;
COMMENT ON VIEW daily_sentiment IS 'The sentiment of each session of an exchange: of the headlines that were known at its close and not yet at the close before.';
COMMENT ON COLUMN daily_sentiment.market_id IS 'The measurement of `fintone market`.';
COMMENT ON COLUMN daily_sentiment.session IS 'The day of the session. A headline after the close counts for the next one; one with only a date is known at the end of that day.';
COMMENT ON COLUMN daily_sentiment.instrument IS 'The instrument, in capitals; NULL for all headlines together.';
COMMENT ON COLUMN daily_sentiment.n IS 'Headlines that count: later than all that the model was trained and chosen on.';
COMMENT ON COLUMN daily_sentiment.sentiment IS 'Mean of p_positive less p_negative, from -1 to 1; NULL where none counts.';
COMMENT ON COLUMN daily_sentiment.dispersion IS 'Its standard deviation; NULL for fewer than two headlines.';
COMMENT ON COLUMN daily_sentiment.n_in_sample IS 'Headlines left out, since the model was trained on their text.';
COMMENT ON COLUMN daily_sentiment.n_not_later IS 'Headlines left out, since they are not later than all that the model was trained and chosen on.';
COMMENT ON COLUMN daily_sentiment.n_before_cutoff IS 'Those of n that the base model may have read when it was pretrained (base_model.trained_until).';
COMMENT ON COLUMN daily_sentiment.price IS 'The price of the instrument at the close; NULL where the file has none.';


CREATE OR REPLACE VIEW market_reaction AS
SELECT
    tests.market_id,
    markets.prices,
    markets.cell_id,
    markets.temperature,
    tests.scope,
    tests.instrument,
    tests.horizon,
    tests.measure,
    tests.estimate,
    tests.low,
    tests.high,
    tests.p_value,
    tests.p_holm,
    tests.days,
    tests.sessions,
    tests.reason,
    markets.measured_at
FROM ledger.market_tests AS tests
JOIN markets USING (market_id)
ORDER BY
    markets.measured_at,
    tests.market_id,
    list_position(['panel', 'overall', 'instrument'], tests.scope),
    tests.instrument,
    tests.horizon,
    list_position(
        ['rank correlation', 'sentiment', 'dispersion', 'volume', 'sentiment before', 'return before'], tests.measure
    );
COMMENT ON VIEW market_reaction IS 'How returns follow the sentiment of the sessions before them: correlations and coefficients with 95 % intervals.';
COMMENT ON COLUMN market_reaction.market_id IS 'The measurement.';
COMMENT ON COLUMN market_reaction.prices IS 'Name of the file of prices.';
COMMENT ON COLUMN market_reaction.cell_id IS 'The cell that answered; NULL where each headline has the answer of the champion of its time.';
COMMENT ON COLUMN market_reaction.temperature IS 'Sampling temperature of its probabilities; NULL where cell_id is.';
COMMENT ON COLUMN market_reaction.scope IS 'panel: each instrument on each day. overall: the mean return of all instruments against all headlines. instrument: a single one.';
COMMENT ON COLUMN market_reaction.instrument IS 'The instrument; NULL for panel and overall.';
COMMENT ON COLUMN market_reaction.horizon IS 'Sessions from the first close after a headline to the close that ends the return.';
COMMENT ON COLUMN market_reaction.measure IS 'rank correlation (Spearman), or what a coefficient of the regression belongs to: sentiment, dispersion, volume (log of 1 + n), the sentiment of the session before, the return into the session.';
COMMENT ON COLUMN market_reaction.estimate IS 'The correlation, or the coefficient: the return, as a share, per unit.';
COMMENT ON COLUMN market_reaction.low IS 'Lower end of its 95 % interval, with errors that may be dependent in time and between instruments (Newey and West 1987, Driscoll and Kraay 1998).';
COMMENT ON COLUMN market_reaction.high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN market_reaction.p_value IS 'Two-sided p-value, not corrected.';
COMMENT ON COLUMN market_reaction.p_holm IS 'The p-value corrected by Holm''s method for all rank correlations and coefficients of sentiment: those of panel and overall together, those of instruments among themselves and never below the smallest of the former. Any false finding has a chance of 5 % where no return follows sentiment, else of 5 % in each of the two groups. NULL for other coefficients.';
COMMENT ON COLUMN market_reaction.days IS 'Days with headlines and a return, one for each instrument.';
COMMENT ON COLUMN market_reaction.sessions IS 'Sessions among them.';
COMMENT ON COLUMN market_reaction.reason IS 'Why there is no estimate; NULL where there is one.';
COMMENT ON COLUMN market_reaction.measured_at IS 'When it was measured, UTC.';


CREATE OR REPLACE VIEW market_quantiles AS
SELECT market_id, horizon, quantile, days, sentiment, value AS mean_return, low, high, share_up
FROM ledger.market_quantiles
ORDER BY market_id, horizon, quantile;
COMMENT ON VIEW market_quantiles IS 'Returns by fifths of the sentiment of the days before them; days of equal sentiment are in the same fifth.';
COMMENT ON COLUMN market_quantiles.market_id IS 'The measurement.';
COMMENT ON COLUMN market_quantiles.horizon IS 'Sessions of the return.';
COMMENT ON COLUMN market_quantiles.quantile IS 'The fifth, 1 with the lowest sentiment.';
COMMENT ON COLUMN market_quantiles.days IS 'Its days, one for each instrument.';
COMMENT ON COLUMN market_quantiles.sentiment IS 'Their mean sentiment.';
COMMENT ON COLUMN market_quantiles.mean_return IS 'Their mean return, a share.';
COMMENT ON COLUMN market_quantiles.low IS 'Lower end of its 95 % interval; NULL where its fifth has fewer than 10 sessions; in a measurement of an older version, where all fifths together have fewer.';
COMMENT ON COLUMN market_quantiles.high IS 'Upper end of its 95 % interval; NULL where low is.';
COMMENT ON COLUMN market_quantiles.share_up IS 'Share of them with a return above zero.';


CREATE OR REPLACE VIEW market_events AS
SELECT market_id, direction, "offset" AS session_offset, value AS abnormal_return, low, high, events
FROM ledger.market_events
ORDER BY market_id, direction, session_offset;
COMMENT ON VIEW market_events IS 'What prices did around days of strong sentiment: mean cumulative abnormal returns (MacKinlay 1997) with bootstrap bands.';
COMMENT ON COLUMN market_events.market_id IS 'The measurement.';
COMMENT ON COLUMN market_events.direction IS 'positive or negative: which tenth of an instrument''s days.';
COMMENT ON COLUMN market_events.session_offset IS 'Sessions from the strong day; what was known at the close of 0 can be acted on from 1.';
COMMENT ON COLUMN market_events.abnormal_return IS 'Mean return since five sessions before, less that of the market, a share.';
COMMENT ON COLUMN market_events.low IS 'Lower end of its 95 % band.';
COMMENT ON COLUMN market_events.high IS 'Upper end of its 95 % band.';
COMMENT ON COLUMN market_events.events IS 'Strong days with a return in every session around them.';
