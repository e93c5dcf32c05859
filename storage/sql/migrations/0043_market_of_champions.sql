-- A measurement may be of the answers that each champion gave in its time, so of no single cell.

ALTER TABLE markets ALTER COLUMN cell_id DROP NOT NULL;
ALTER TABLE markets ALTER COLUMN temperature DROP NOT NULL;
COMMENT ON COLUMN markets.market_id IS 'Identity of the prices'' place, the calendar, and the cell with its temperature or, instead, the champions.';
COMMENT ON COLUMN markets.cell_id IS 'The cell that answered; NULL where each headline has the answer of the cell that was champion when it was published.';
COMMENT ON COLUMN markets.temperature IS 'Sampling temperature of its probabilities; NULL where cell_id is.';
