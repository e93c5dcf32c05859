-- What a cell's model and training are, so that its files can be judged while its base model is out of reach.

ALTER TABLE cells ADD COLUMN kind_of_model VARCHAR;
COMMENT ON COLUMN cells.kind_of_model IS 'Of a base or a fine-tuned cell: causal or encoder. NULL for a baseline, and where an older version did not record it.';
ALTER TABLE cells ADD COLUMN training_id VARCHAR;
COMMENT ON COLUMN cells.training_id IS 'Of a fine-tuned cell: the id of its training, which cells that differ only in epochs share where the schedule is constant; NULL where an older version did not record it.';
