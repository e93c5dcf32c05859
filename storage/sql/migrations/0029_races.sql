-- A race drops cells, and keeps how trainings answered validation where they paused to be compared.

CREATE TABLE ledger.drops (
    study_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    epoch BIGINT NOT NULL,
    best_cell_id VARCHAR NOT NULL,
    n BIGINT NOT NULL,
    accuracy DOUBLE NOT NULL,
    best_accuracy DOUBLE NOT NULL,
    p_value DOUBLE NOT NULL,
    bound DOUBLE NOT NULL,
    dropped_at TIMESTAMP NOT NULL,
    PRIMARY KEY (study_id, cell_id)
);
COMMENT ON TABLE ledger.drops IS 'The cells that the race of a study dropped; the view dropped_cells has them with their names.';
COMMENT ON COLUMN ledger.drops.study_id IS 'The study.';
COMMENT ON COLUMN ledger.drops.cell_id IS 'The cell, which the study does not train to its end.';
COMMENT ON COLUMN ledger.drops.epoch IS 'The epoch at whose end it was dropped.';
COMMENT ON COLUMN ledger.drops.best_cell_id IS 'The cell whose training was the best then.';
COMMENT ON COLUMN ledger.drops.n IS 'Headlines of validation.';
COMMENT ON COLUMN ledger.drops.accuracy IS 'Share of them that its training answered right then, at the lowest temperature.';
COMMENT ON COLUMN ledger.drops.best_accuracy IS 'That of the best.';
COMMENT ON COLUMN ledger.drops.p_value IS 'P-value of McNemar''s exact test of both, not corrected.';
COMMENT ON COLUMN ledger.drops.bound IS 'The p-value up to which the race drops a cell: its level over the number of tests that it may make.';
COMMENT ON COLUMN ledger.drops.dropped_at IS 'When it was dropped, UTC.';


CREATE TABLE ledger.pauses (
    pause_id VARCHAR PRIMARY KEY,
    cell_id VARCHAR NOT NULL,
    epoch BIGINT NOT NULL,
    temperature DOUBLE NOT NULL,
    is_right BOOLEAN[] NOT NULL,
    balanced_accuracy DOUBLE NOT NULL,
    seconds DOUBLE NOT NULL,
    evaluated_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE ledger.pauses IS 'How a training answered validation at the end of an epoch at which no cell ends, for a race.';
COMMENT ON COLUMN ledger.pauses.pause_id IS 'Identity of the cell, the epoch, the temperature and the decoding.';
COMMENT ON COLUMN ledger.pauses.cell_id IS 'The cell that was being trained.';
COMMENT ON COLUMN ledger.pauses.epoch IS 'The epoch at whose end it paused.';
COMMENT ON COLUMN ledger.pauses.temperature IS 'Sampling temperature.';
COMMENT ON COLUMN ledger.pauses.is_right IS 'Whether each headline of validation was answered right, in the order of their ids.';
COMMENT ON COLUMN ledger.pauses.balanced_accuracy IS 'Expected accuracy on each label, averaged over the labels.';
COMMENT ON COLUMN ledger.pauses.seconds IS 'Seconds of the evaluation.';
COMMENT ON COLUMN ledger.pauses.evaluated_at IS 'When it was evaluated, UTC.';
