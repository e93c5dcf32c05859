-- A bootstrap over few sessions gives intervals that are far too narrow: such a mean return has none.

ALTER TABLE ledger.market_quantiles ALTER COLUMN low DROP NOT NULL;
ALTER TABLE ledger.market_quantiles ALTER COLUMN high DROP NOT NULL;
UPDATE ledger.market_quantiles SET low = NULL, high = NULL WHERE days < 10;
COMMENT ON COLUMN ledger.market_quantiles.low IS 'Lower end of its 95 % interval; NULL with fewer than 10 sessions, or in a measurement of an older version fewer than 10 days.';
COMMENT ON COLUMN ledger.market_quantiles.high IS 'Upper end of its 95 % interval; NULL where low is.';
