-- Sentiment against the market: the prices, sessions and findings of each measurement.

CREATE TABLE markets (
    market_id VARCHAR PRIMARY KEY,
    prices VARCHAR NOT NULL,
    location VARCHAR NOT NULL,
    price_column VARCHAR,
    calendar VARCHAR NOT NULL,
    timezone VARCHAR NOT NULL,
    horizons INTEGER[] NOT NULL,
    cell_id VARCHAR NOT NULL,
    temperature DOUBLE NOT NULL,
    prices_used BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    jumps BIGINT NOT NULL,
    measured_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE markets IS 'Each measurement of `fintone market`: a model''s sentiment beside the prices of a file. The same one again replaces it.';
COMMENT ON COLUMN markets.market_id IS 'Identity of the prices'' place, the calendar, the cell and the temperature.';
COMMENT ON COLUMN markets.prices IS 'What people call the file of prices.';
COMMENT ON COLUMN markets.location IS 'Its path.';
COMMENT ON COLUMN markets.price_column IS 'The column of the prices.';
COMMENT ON COLUMN markets.calendar IS 'The exchange whose sessions count, a code of exchange_calendars.';
COMMENT ON COLUMN markets.timezone IS 'The zone in which a headline of midnight is taken for one with a date alone.';
COMMENT ON COLUMN markets.horizons IS 'Sessions from the close that knows a headline to the close that ends a return.';
COMMENT ON COLUMN markets.cell_id IS 'The cell that answered.';
COMMENT ON COLUMN markets.temperature IS 'Sampling temperature of its probabilities.';
COMMENT ON COLUMN markets.prices_used IS 'Prices that were used.';
COMMENT ON COLUMN markets.rows_rejected IS 'Rows of the file without a price that can be used.';
COMMENT ON COLUMN markets.jumps IS 'Steps from one price to the next that look like splits; no return goes across one.';
COMMENT ON COLUMN markets.measured_at IS 'When it was measured, UTC.';


CREATE TABLE ledger.market_sessions (
    market_id VARCHAR NOT NULL,
    session DATE NOT NULL,
    since TIMESTAMP,
    closes_at TIMESTAMP NOT NULL,
    PRIMARY KEY (market_id, session)
);
COMMENT ON TABLE ledger.market_sessions IS 'The sessions of the exchange in the time of the prices.';
COMMENT ON COLUMN ledger.market_sessions.market_id IS 'The measurement.';
COMMENT ON COLUMN ledger.market_sessions.session IS 'The day of the session.';
COMMENT ON COLUMN ledger.market_sessions.since IS 'When the session before it closed, UTC; NULL for the first.';
COMMENT ON COLUMN ledger.market_sessions.closes_at IS 'When it closes, UTC: what is known by then belongs to it.';


CREATE TABLE ledger.market_prices (
    market_id VARCHAR NOT NULL,
    instrument VARCHAR NOT NULL,
    session DATE NOT NULL,
    price DOUBLE NOT NULL,
    PRIMARY KEY (market_id, instrument, session)
);
COMMENT ON TABLE ledger.market_prices IS 'The prices of a measurement.';
COMMENT ON COLUMN ledger.market_prices.market_id IS 'The measurement.';
COMMENT ON COLUMN ledger.market_prices.instrument IS 'The instrument, in capitals.';
COMMENT ON COLUMN ledger.market_prices.session IS 'The day of the session.';
COMMENT ON COLUMN ledger.market_prices.price IS 'Its price at the close.';


CREATE TABLE ledger.market_tests (
    market_id VARCHAR NOT NULL,
    scope VARCHAR NOT NULL CHECK (scope IN ('panel', 'overall', 'instrument')),
    instrument VARCHAR,
    horizon INTEGER NOT NULL,
    measure VARCHAR NOT NULL,
    estimate DOUBLE,
    low DOUBLE,
    high DOUBLE,
    p_value DOUBLE,
    p_holm DOUBLE,
    days BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    reason VARCHAR
);
COMMENT ON TABLE ledger.market_tests IS 'What a measurement found; the view market_reaction has it beside the model.';
COMMENT ON COLUMN ledger.market_tests.market_id IS 'The measurement.';
COMMENT ON COLUMN ledger.market_tests.scope IS 'panel, overall or instrument.';
COMMENT ON COLUMN ledger.market_tests.instrument IS 'The instrument; NULL where it is about all.';
COMMENT ON COLUMN ledger.market_tests.horizon IS 'Sessions of the return.';
COMMENT ON COLUMN ledger.market_tests.measure IS 'rank correlation, or the regressor of a coefficient.';
COMMENT ON COLUMN ledger.market_tests.estimate IS 'The correlation or the coefficient.';
COMMENT ON COLUMN ledger.market_tests.low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN ledger.market_tests.high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN ledger.market_tests.p_value IS 'Two-sided p-value.';
COMMENT ON COLUMN ledger.market_tests.p_holm IS 'The p-value after correction; NULL of a coefficient that is held constant.';
COMMENT ON COLUMN ledger.market_tests.days IS 'Days with headlines and a return, one for each instrument.';
COMMENT ON COLUMN ledger.market_tests.sessions IS 'Sessions among them.';
COMMENT ON COLUMN ledger.market_tests.reason IS 'Why there is no estimate; NULL where there is one.';


CREATE TABLE ledger.market_quantiles (
    market_id VARCHAR NOT NULL,
    horizon INTEGER NOT NULL,
    quantile INTEGER NOT NULL,
    days BIGINT NOT NULL,
    sentiment DOUBLE NOT NULL,
    value DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    share_up DOUBLE NOT NULL,
    PRIMARY KEY (market_id, horizon, quantile)
);
COMMENT ON TABLE ledger.market_quantiles IS 'Returns by fifths of the sentiment; the view market_quantiles has them.';
COMMENT ON COLUMN ledger.market_quantiles.market_id IS 'The measurement.';
COMMENT ON COLUMN ledger.market_quantiles.horizon IS 'Sessions of the return.';
COMMENT ON COLUMN ledger.market_quantiles.quantile IS 'The fifth of the days, 1 with the lowest sentiment.';
COMMENT ON COLUMN ledger.market_quantiles.days IS 'Its days.';
COMMENT ON COLUMN ledger.market_quantiles.sentiment IS 'Their mean sentiment.';
COMMENT ON COLUMN ledger.market_quantiles.value IS 'Their mean return.';
COMMENT ON COLUMN ledger.market_quantiles.low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN ledger.market_quantiles.high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN ledger.market_quantiles.share_up IS 'Share of them with a return above zero.';


CREATE TABLE ledger.market_events (
    market_id VARCHAR NOT NULL,
    direction VARCHAR NOT NULL CHECK (direction IN ('positive', 'negative')),
    "offset" INTEGER NOT NULL,
    value DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (market_id, direction, "offset")
);
COMMENT ON TABLE ledger.market_events IS 'Prices around days of strong sentiment; the view market_events has them.';
COMMENT ON COLUMN ledger.market_events.market_id IS 'The measurement.';
COMMENT ON COLUMN ledger.market_events.direction IS 'positive or negative sentiment.';
COMMENT ON COLUMN ledger.market_events."offset" IS 'Sessions from the strong day.';
COMMENT ON COLUMN ledger.market_events.value IS 'Mean cumulative abnormal return.';
COMMENT ON COLUMN ledger.market_events.low IS 'Lower end of its 95 % band.';
COMMENT ON COLUMN ledger.market_events.high IS 'Upper end of its 95 % band.';
COMMENT ON COLUMN ledger.market_events.events IS 'Strong days.';
