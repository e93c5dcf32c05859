-- A study or a cell whose process is gone is interrupted. DuckDB changes no CHECK, so the column is made anew.

ALTER TABLE studies RENAME COLUMN status TO old_status;
ALTER TABLE studies ADD COLUMN status VARCHAR;
UPDATE studies SET status = old_status;
ALTER TABLE studies DROP COLUMN old_status;
COMMENT ON COLUMN studies.status IS 'running, finished, incomplete (some cells failed), failed, or interrupted (its process ended before it did), of its latest run.';

ALTER TABLE cells RENAME COLUMN status TO old_status;
ALTER TABLE cells ADD COLUMN status VARCHAR;
UPDATE cells SET status = old_status;
ALTER TABLE cells DROP COLUMN old_status;
COMMENT ON COLUMN cells.status IS 'planned, running, finished, diverged (its loss was no number or exploded: it was ended there, and evaluated), failed, or interrupted (its process ended before it did).';
