-- How a place was read, so that a study of it is read alike.

ALTER TABLE source_visits ADD COLUMN settings JSON;
COMMENT ON COLUMN source_visits.settings IS 'Settings of the source that were not the defaults, but for those of copies, as JSON; fintone run reads the place with them where it is told no others. NULL where an older version visited.';
COMMENT ON TABLE source_visits IS 'What each place held when it was visited, and how it was read; a visit that is like the one before it is not added.';
