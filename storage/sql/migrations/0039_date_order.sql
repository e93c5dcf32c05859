-- The order of day and month in the dates of a source, which one day's headlines to score may not show by themselves.

ALTER TABLE sources ADD COLUMN date_order VARCHAR;
COMMENT ON COLUMN sources.date_order IS 'Order of day, month and year in dates such as 03/04/2025: dmy, mdy or ymd, as given or found; NULL where it has no such dates, or an older version ingested.';
