-- Cells may be trained side by side; no column changes.

COMMENT ON COLUMN cells.train_seconds IS 'Seconds of training, of the steps after first_step. Those of cells that were trained side by side overlap: their sum is more than the time that passed.';
