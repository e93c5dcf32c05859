-- The bound of migration 42 is 10 sessions; it counted days of instruments, and left the curves of events.

CREATE TEMPORARY TABLE measured AS
SELECT market_id, horizon, max(sessions) AS sessions FROM ledger.market_tests GROUP BY market_id, horizon;

UPDATE ledger.market_quantiles SET low = NULL, high = NULL FROM measured
WHERE measured.market_id = market_quantiles.market_id AND measured.horizon = market_quantiles.horizon AND sessions < 10;
DELETE FROM ledger.market_events WHERE events < 10
OR market_id IN (SELECT market_id FROM measured GROUP BY market_id HAVING max(sessions) < 10);
DROP TABLE measured;

COMMENT ON COLUMN ledger.market_quantiles.low IS 'Lower end of its 95 % interval; NULL where its fifth has fewer than 10 sessions; in a measurement of an older version, where all fifths together have fewer.';
