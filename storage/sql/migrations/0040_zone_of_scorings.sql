-- The zone in which a scored source's dates without one were read: a date without a time is midnight there.

ALTER TABLE scorings ADD COLUMN timezone VARCHAR;
COMMENT ON COLUMN scorings.timezone IS 'Time zone in which dates of the source that name none were read; NULL where an older version scored it.';

ALTER TABLE markets ALTER COLUMN timezone DROP NOT NULL;
COMMENT ON COLUMN markets.timezone IS 'Time zone that was given, at whose midnight a headline has a date without a time; NULL for that in which each headline was read.';
