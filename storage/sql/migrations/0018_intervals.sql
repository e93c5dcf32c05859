-- An interval that cannot hold its level is NULL. Rows of earlier versions keep theirs, which were percentiles of a bootstrap,
-- but where too few headlines tell two cells apart: there the bootstrap's was far too narrow.

ALTER TABLE evaluations ALTER COLUMN macro_f1_low DROP NOT NULL;
ALTER TABLE evaluations ALTER COLUMN macro_f1_high DROP NOT NULL;
COMMENT ON COLUMN evaluations.macro_f1_low IS 'Lower end of its 95 % interval; NULL where a label has fewer than 10 headlines, with which none holds its level.';
COMMENT ON COLUMN evaluations.macro_f1_high IS 'Upper end of its 95 % interval, or NULL.';
COMMENT ON COLUMN evaluations.expected_accuracy_low IS 'Lower end of the 95 % interval of expected_accuracy.';

ALTER TABLE ledger.comparisons ALTER COLUMN difference_low DROP NOT NULL;
ALTER TABLE ledger.comparisons ALTER COLUMN difference_high DROP NOT NULL;
ALTER TABLE ledger.comparisons ALTER COLUMN macro_f1_difference_low DROP NOT NULL;
ALTER TABLE ledger.comparisons ALTER COLUMN macro_f1_difference_high DROP NOT NULL;
COMMENT ON COLUMN ledger.comparisons.difference_low IS 'Lower end of its 95 % interval (Tango 1998); NULL where fewer than 3 headlines tell the two apart, with which none holds its level.';
COMMENT ON COLUMN ledger.comparisons.difference_high IS 'Upper end of its 95 % interval, or NULL.';
COMMENT ON COLUMN ledger.comparisons.macro_f1_difference_low IS 'Lower end of its 95 % interval; NULL as difference_low is, and where a label has fewer than 10 headlines.';
COMMENT ON COLUMN ledger.comparisons.macro_f1_difference_high IS 'Upper end of its 95 % interval, or NULL.';
COMMENT ON COLUMN champions.difference_low IS 'Lower end of its 95 % interval; NULL where fewer than 3 headlines tell the two apart.';

UPDATE ledger.comparisons
SET difference_low = NULL, difference_high = NULL, macro_f1_difference_low = NULL, macro_f1_difference_high = NULL
WHERE only_right + only_other_right < 3;
