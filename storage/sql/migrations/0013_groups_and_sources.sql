-- Near copies are now found whatever their links, @mentions, hashtags, entities and mojibake. The ids of masked texts that
-- this may change are forgotten; the next ingestion computes them again.

UPDATE headlines SET masked_id = NULL WHERE regexp_matches(text, '[^\x00-\x7F]|[@#$&/]|RT|www');
COMMENT ON COLUMN headlines.masked_id IS 'Identity of the text in lower case, with its numbers masked and without links, @mentions, trailing hashtags and the like; NULL from an upgrade to the next ingestion.';
