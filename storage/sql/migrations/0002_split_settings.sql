-- Which splits were drawn alike, so that a headline of an earlier test part stays there.

CREATE TABLE split_settings (
    split_id VARCHAR PRIMARY KEY,
    settings JSON NOT NULL
);
COMMENT ON TABLE split_settings IS 'How each split was drawn. What one split with these settings has in test, no other has in train or validation.';
COMMENT ON COLUMN split_settings.split_id IS 'The split.';
COMMENT ON COLUMN split_settings.settings IS 'Method, sizes and seed, as in the config of a study.';

INSERT INTO split_settings (split_id, settings)
SELECT split_id, any_value(config->'split') FROM studies GROUP BY split_id;
