-- Which columns of a source were read; NULL for what an earlier version read, and for a source that is no table.

ALTER TABLE sources ADD COLUMN text_column VARCHAR;
COMMENT ON COLUMN sources.text_column IS 'Column of the headlines, or its number where the table has no header; of several files each name once. NULL if the source is no table.';
ALTER TABLE sources ADD COLUMN label_column VARCHAR;
COMMENT ON COLUMN sources.label_column IS 'Column of the labels, as text_column.';
ALTER TABLE sources ADD COLUMN other_text_columns VARCHAR[];
COMMENT ON COLUMN sources.other_text_columns IS 'Columns that could hold the headlines as well, by their names or values.';
ALTER TABLE sources ADD COLUMN other_label_columns VARCHAR[];
COMMENT ON COLUMN sources.other_label_columns IS 'Columns that could hold the labels as well, by their names or values.';

ALTER TABLE scorings ADD COLUMN text_column VARCHAR;
COMMENT ON COLUMN scorings.text_column IS 'Column of the headlines, or its number where the table has no header. NULL if the source is no table.';
