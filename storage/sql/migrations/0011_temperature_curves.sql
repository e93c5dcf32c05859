-- Accuracy over temperature, from the same forward pass as the evaluations.

CREATE TABLE ledger.temperature_curves (
    evaluation_id VARCHAR NOT NULL,
    at_temperature DOUBLE NOT NULL,
    expected_accuracy DOUBLE NOT NULL,
    unparsed_rate DOUBLE NOT NULL
);
COMMENT ON TABLE ledger.temperature_curves IS 'What the cell of an evaluation would do on the same headlines at other temperatures; the view main.temperature_curve has it by study.';
COMMENT ON COLUMN ledger.temperature_curves.evaluation_id IS 'The evaluation; those of one cell and part that differ in temperature have the same curve.';
COMMENT ON COLUMN ledger.temperature_curves.at_temperature IS 'The other temperature.';
COMMENT ON COLUMN ledger.temperature_curves.expected_accuracy IS 'Mean probability of the right label there; what is unparsed counts as neutral.';
COMMENT ON COLUMN ledger.temperature_curves.unparsed_rate IS 'Mean probability of no label there.';
