-- Comparisons in studies of folds took headlines as independent, so noise between folds passed for a difference. They are
-- deleted: the next run of such a study compares its cells again, by headline and by fold, and does nothing else again.

DELETE FROM ledger.comparisons
WHERE study_id IN (SELECT studies.study_id FROM studies JOIN split_folds USING (split_id));

COMMENT ON COLUMN ledger.comparisons.difference_low IS 'Lower end of its 95 % interval (Tango 1998; in a study of folds no narrower than Student''s by fold); NULL where fewer than 3 headlines tell the two apart, with which none holds its level.';
COMMENT ON COLUMN ledger.comparisons.p_value IS 'Exact two-sided p-value of McNemar''s test, of this pair alone; in a study of folds Student''s by fold where that is larger.';
