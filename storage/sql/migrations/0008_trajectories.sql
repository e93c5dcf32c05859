-- Cells may diverge, studies may lack some of their cells, and a training may begin where a shorter one ended.

CREATE TABLE new_cells (
    cell_id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL CHECK (kind IN ('base', 'baseline', 'fine-tuned')),
    model VARCHAR NOT NULL,
    learning_rate DOUBLE,
    epochs BIGINT,
    seed BIGINT,
    snapshot_id VARCHAR NOT NULL,
    split_id VARCHAR NOT NULL,
    hyperparameters JSON NOT NULL,
    environment JSON,
    status VARCHAR NOT NULL CHECK (status IN ('planned', 'running', 'finished', 'diverged', 'failed')),
    reason VARCHAR,
    steps BIGINT,
    first_step BIGINT,
    train_seconds DOUBLE,
    examples_per_second DOUBLE,
    tokens_per_second DOUBLE,
    peak_memory_bytes BIGINT,
    adapter_path VARCHAR,
    started_at TIMESTAMP,
    finished_at TIMESTAMP
);
INSERT INTO new_cells BY NAME FROM cells;
DROP TABLE cells;
ALTER TABLE new_cells RENAME TO cells;
COMMENT ON TABLE cells IS 'Everything that is evaluated: the untouched base model, baselines, and one fine-tune a point of the grid.';
COMMENT ON COLUMN cells.cell_id IS 'Identity of the cell, from all that decides its predictions; studies share it.';
COMMENT ON COLUMN cells.kind IS 'base, baseline or fine-tuned.';
COMMENT ON COLUMN cells.model IS 'The base model, or the name of the baseline.';
COMMENT ON COLUMN cells.learning_rate IS 'Peak learning rate; NULL unless fine-tuned.';
COMMENT ON COLUMN cells.epochs IS 'Passes over the train part; NULL unless fine-tuned.';
COMMENT ON COLUMN cells.seed IS 'Seed of initialisation, order and dropout; NULL where nothing is drawn.';
COMMENT ON COLUMN cells.snapshot_id IS 'Its headlines.';
COMMENT ON COLUMN cells.split_id IS 'How they are divided.';
COMMENT ON COLUMN cells.hyperparameters IS 'Every hyperparameter.';
COMMENT ON COLUMN cells.environment IS 'Library versions, device, precision, attention, micro-batch and seed that it ran with.';
COMMENT ON COLUMN cells.status IS 'planned, running, finished, diverged (its loss was no number or exploded: it was ended there, and evaluated) or failed.';
COMMENT ON COLUMN cells.reason IS 'Why it failed, or died last time.';
COMMENT ON COLUMN cells.steps IS 'Optimiser steps; NULL unless fine-tuned.';
COMMENT ON COLUMN cells.first_step IS 'Steps that a shorter cell of the same training, or an interrupted run, had done: the cell began there.';
COMMENT ON COLUMN cells.train_seconds IS 'Seconds of training, of the steps after first_step.';
COMMENT ON COLUMN cells.examples_per_second IS 'Headlines trained on a second, over the same steps; NULL where none was left to do.';
COMMENT ON COLUMN cells.tokens_per_second IS 'Tokens of prompts with their labels trained on a second, over the same steps.';
COMMENT ON COLUMN cells.peak_memory_bytes IS 'Most memory that the process held, in bytes: of the GPU where there is one.';
COMMENT ON COLUMN cells.adapter_path IS 'Folder of the adapter.';
COMMENT ON COLUMN cells.started_at IS 'When it last started, UTC.';
COMMENT ON COLUMN cells.finished_at IS 'When it finished or failed, UTC.';


CREATE TABLE new_studies (
    study_id VARCHAR PRIMARY KEY,
    profile VARCHAR NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    split_id VARCHAR NOT NULL,
    base_model VARCHAR NOT NULL,
    base_revision VARCHAR,
    source VARCHAR NOT NULL,
    synthetic BOOLEAN NOT NULL,
    config JSON NOT NULL,
    temperatures DOUBLE[] NOT NULL,
    decoding_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('running', 'finished', 'incomplete', 'failed')),
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);
INSERT INTO new_studies BY NAME FROM studies;
DROP TABLE studies;
ALTER TABLE new_studies RENAME TO studies;
COMMENT ON TABLE studies IS 'Snapshot x split x base model x grid x temperatures: one config, one answer.';
COMMENT ON COLUMN studies.study_id IS 'Identity of the study, from all that decides its answer.';
COMMENT ON COLUMN studies.profile IS 'Name of the profile that it began from.';
COMMENT ON COLUMN studies.snapshot_id IS 'Its headlines.';
COMMENT ON COLUMN studies.split_id IS 'How they are divided.';
COMMENT ON COLUMN studies.base_model IS 'The model that is fine-tuned.';
COMMENT ON COLUMN studies.base_revision IS 'The exact revision or hash of that model.';
COMMENT ON COLUMN studies.source IS 'Where the headlines came from.';
COMMENT ON COLUMN studies.synthetic IS 'Whether the headlines were generated; its figures then say nothing of real news.';
COMMENT ON COLUMN studies.config IS 'Every setting.';
COMMENT ON COLUMN studies.temperatures IS 'The sampling temperatures at which it evaluates.';
COMMENT ON COLUMN studies.decoding_id IS 'Identity of top-k, top-p and the seed of the draws.';
COMMENT ON COLUMN studies.status IS 'running, finished, incomplete (some cells failed) or failed, of its latest run.';
COMMENT ON COLUMN studies.started_at IS 'When its latest run started, UTC.';
COMMENT ON COLUMN studies.finished_at IS 'When its latest run ended, UTC; NULL while it runs.';
