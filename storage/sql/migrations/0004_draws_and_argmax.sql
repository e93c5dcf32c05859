-- Several draws, the likeliest answer, and which outputs were labels at all. NULL where an evaluation is older than this.

ALTER TABLE ledger.predictions ADD COLUMN parsed BOOLEAN;
COMMENT ON COLUMN ledger.predictions.parsed IS 'Whether what was sampled is a label; if not, predicted is neutral.';
ALTER TABLE ledger.predictions ADD COLUMN argmax VARCHAR;
COMMENT ON COLUMN ledger.predictions.argmax IS 'The label as the temperature goes to 0: of the likeliest output; for a baseline what it decided.';
ALTER TABLE ledger.predictions ADD COLUMN argmax_parsed BOOLEAN;
COMMENT ON COLUMN ledger.predictions.argmax_parsed IS 'Whether the likeliest output is a label; if not, argmax is neutral.';

ALTER TABLE evaluations ADD COLUMN expected_accuracy_low DOUBLE;
COMMENT ON COLUMN evaluations.expected_accuracy_low IS 'Lower end of the 95 % interval of expected_accuracy, a bootstrap over headlines.';
ALTER TABLE evaluations ADD COLUMN expected_accuracy_high DOUBLE;
COMMENT ON COLUMN evaluations.expected_accuracy_high IS 'Upper end of the 95 % interval of expected_accuracy.';
ALTER TABLE evaluations ADD COLUMN argmax_accuracy DOUBLE;
COMMENT ON COLUMN evaluations.argmax_accuracy IS 'Accuracy as the temperature goes to 0: of the likeliest output; for a baseline its accuracy.';
ALTER TABLE evaluations ADD COLUMN argmax_macro_f1 DOUBLE;
COMMENT ON COLUMN evaluations.argmax_macro_f1 IS 'Macro-F1 as the temperature goes to 0; for a baseline its macro-F1.';
ALTER TABLE evaluations ADD COLUMN draws BIGINT;
COMMENT ON COLUMN evaluations.draws IS 'Draws that the ledger has of it; NULL for a baseline, which does not sample.';

CREATE TABLE ledger.draws (
    evaluation_id VARCHAR NOT NULL,
    draw BIGINT NOT NULL,
    accuracy DOUBLE NOT NULL,
    macro_f1 DOUBLE NOT NULL,
    strict_accuracy DOUBLE NOT NULL,
    unparsed_rate DOUBLE NOT NULL,
    PRIMARY KEY (evaluation_id, draw)
);
COMMENT ON TABLE ledger.draws IS 'Figures of every seeded draw; the view main.draws adds study and cell.';
COMMENT ON COLUMN ledger.draws.evaluation_id IS 'The evaluation.';
COMMENT ON COLUMN ledger.draws.draw IS 'Number of the draw, from 0; 0 is the one whose predictions the ledger holds.';
COMMENT ON COLUMN ledger.draws.accuracy IS 'Share of headlines whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN ledger.draws.macro_f1 IS 'Mean of the F1 of the three labels.';
COMMENT ON COLUMN ledger.draws.strict_accuracy IS 'Accuracy where anything unparsed counts as wrong.';
COMMENT ON COLUMN ledger.draws.unparsed_rate IS 'Share of headlines whose sampled output is no label.';
