-- What of a source was not read, and how many of its texts look damaged.

ALTER TABLE sources ADD COLUMN not_read VARCHAR[];
ALTER TABLE sources ADD COLUMN headlines_damaged BIGINT;
ALTER TABLE sources ADD COLUMN damaged_example VARCHAR;
COMMENT ON COLUMN sources.not_read IS 'Files of a folder and sheets of a workbook that were passed over, each with the reason; NULL where an older version ingested.';
COMMENT ON COLUMN sources.headlines_damaged IS 'Accepted headlines whose text looks damaged: replacement characters, text read in the wrong encoding, HTML entities; NULL where an older version ingested.';
COMMENT ON COLUMN sources.damaged_example IS 'The first of them.';
