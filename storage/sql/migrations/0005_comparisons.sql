-- Which differences between the cells of a study are more than noise. The views `comparisons` and `baseline_verdicts` show
-- them; a study's rows are written together.

CREATE TABLE ledger.comparisons (
    study_id VARCHAR NOT NULL,
    part VARCHAR NOT NULL CHECK (part IN ('train', 'validation', 'test')),
    temperature DOUBLE,
    cell_id VARCHAR NOT NULL,
    other_cell_id VARCHAR NOT NULL CHECK (other_cell_id <> cell_id),
    n BIGINT NOT NULL,
    accuracy DOUBLE NOT NULL,
    other_accuracy DOUBLE NOT NULL,
    difference DOUBLE NOT NULL,
    difference_low DOUBLE NOT NULL,
    difference_high DOUBLE NOT NULL,
    macro_f1_difference DOUBLE NOT NULL,
    macro_f1_difference_low DOUBLE NOT NULL,
    macro_f1_difference_high DOUBLE NOT NULL,
    only_right BIGINT NOT NULL,
    only_other_right BIGINT NOT NULL,
    p_value DOUBLE NOT NULL,
    compared_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE ledger.comparisons IS 'Two cells of a study on the same headlines: each pair once, in either order; the view main.comparisons has both orders and Holm''s correction.';
COMMENT ON COLUMN ledger.comparisons.study_id IS 'The study.';
COMMENT ON COLUMN ledger.comparisons.part IS 'The part of the split.';
COMMENT ON COLUMN ledger.comparisons.temperature IS 'Sampling temperature; a baseline, which does not sample, meets a model at each of its own. NULL for two baselines.';
COMMENT ON COLUMN ledger.comparisons.cell_id IS 'The cell.';
COMMENT ON COLUMN ledger.comparisons.other_cell_id IS 'The cell that it is compared with.';
COMMENT ON COLUMN ledger.comparisons.n IS 'Headlines that both were evaluated on.';
COMMENT ON COLUMN ledger.comparisons.accuracy IS 'Accuracy of the cell.';
COMMENT ON COLUMN ledger.comparisons.other_accuracy IS 'Accuracy of the other cell.';
COMMENT ON COLUMN ledger.comparisons.difference IS 'Accuracy of the cell less that of the other.';
COMMENT ON COLUMN ledger.comparisons.difference_low IS 'Lower end of its 95 % interval: a bootstrap over headlines that keeps the pairs together.';
COMMENT ON COLUMN ledger.comparisons.difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN ledger.comparisons.macro_f1_difference IS 'Macro-F1 of the cell less that of the other.';
COMMENT ON COLUMN ledger.comparisons.macro_f1_difference_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN ledger.comparisons.macro_f1_difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN ledger.comparisons.only_right IS 'Headlines that only the cell has right.';
COMMENT ON COLUMN ledger.comparisons.only_other_right IS 'Headlines that only the other cell has right.';
COMMENT ON COLUMN ledger.comparisons.p_value IS 'Exact two-sided p-value of McNemar''s test, of this pair alone.';
COMMENT ON COLUMN ledger.comparisons.compared_at IS 'When, UTC.';
