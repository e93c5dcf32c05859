-- A source that is read again and then has other headlines is an ingestion of its own, of the same bytes and settings.

ALTER TABLE sources ADD COLUMN again_of VARCHAR;
COMMENT ON COLUMN sources.again_of IS 'The ingestion of the same bytes and settings that was there before, where the source was read again and had other headlines; else NULL.';

-- Until when the texts reach that a base model was pretrained on, as a study says.

ALTER TABLE study_cells ADD COLUMN trained_until DATE;
COMMENT ON COLUMN study_cells.trained_until IS 'Until when the texts reach that its base model was pretrained on (base_model.trained_until); NULL where the study does not say, and for a baseline.';
