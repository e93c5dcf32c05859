-- The first tables. Every TIMESTAMP is UTC. Views for analysts are in ../views.sql.

CREATE TABLE fintone_migrations (
    number INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE fintone_migrations IS 'Which migrations this file has; a file without this table is not ours.';
COMMENT ON COLUMN fintone_migrations.number IS 'Number of the migration, ascending from 1.';
COMMENT ON COLUMN fintone_migrations.name IS 'Name of the migration file.';
COMMENT ON COLUMN fintone_migrations.applied_at IS 'When it ran, UTC.';


CREATE TABLE sources (
    ingest_id VARCHAR PRIMARY KEY,
    source VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    encoding VARCHAR,
    synthetic BOOLEAN NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_accepted BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    rows_merged BIGINT NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    ingested_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE sources IS 'Where headlines came from: one row an ingestion.';
COMMENT ON COLUMN sources.ingest_id IS 'Identity of the ingestion: the bytes of the source and the settings that read them.';
COMMENT ON COLUMN sources.source IS 'What was given as the source: a path, or embedded.';
COMMENT ON COLUMN sources.kind IS 'Format of the source.';
COMMENT ON COLUMN sources.sha256 IS 'SHA-256 of the bytes of the source.';
COMMENT ON COLUMN sources.encoding IS 'Text encoding with which it was read; NULL for a format that has none.';
COMMENT ON COLUMN sources.synthetic IS 'Whether the headlines were generated rather than written by people.';
COMMENT ON COLUMN sources.rows_read IS 'Rows in the source.';
COMMENT ON COLUMN sources.rows_accepted IS 'Headlines accepted.';
COMMENT ON COLUMN sources.rows_rejected IS 'Rows rejected; rejected_rows holds them.';
COMMENT ON COLUMN sources.rows_merged IS 'Rows that repeat an accepted headline.';
COMMENT ON COLUMN sources.snapshot_id IS 'The snapshot that it made or met again.';
COMMENT ON COLUMN sources.ingested_at IS 'When it was ingested, UTC.';


CREATE TABLE headlines (
    headline_id VARCHAR PRIMARY KEY,
    text VARCHAR NOT NULL,
    label VARCHAR NOT NULL CHECK (label IN ('negative', 'neutral', 'positive')),
    first_ingest_id VARCHAR NOT NULL
);
COMMENT ON TABLE headlines IS 'Accepted headlines of all sources, each once.';
COMMENT ON COLUMN headlines.headline_id IS 'Identity of the headline, from its normalised text and its label.';
COMMENT ON COLUMN headlines.text IS 'The headline as its first source words it.';
COMMENT ON COLUMN headlines.label IS 'Its sentiment: negative, neutral or positive.';
COMMENT ON COLUMN headlines.first_ingest_id IS 'The ingestion that brought it first.';


CREATE TABLE rejected_rows (
    ingest_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    row_number BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR NOT NULL
);
COMMENT ON TABLE rejected_rows IS 'Every row that was rejected, as it was, with the reason.';
COMMENT ON COLUMN rejected_rows.ingest_id IS 'The ingestion that rejected it.';
COMMENT ON COLUMN rejected_rows.source IS 'The source that it came from.';
COMMENT ON COLUMN rejected_rows.row_number IS 'Its row in the source, from 1.';
COMMENT ON COLUMN rejected_rows.reason IS 'Every reason why it was rejected.';
COMMENT ON COLUMN rejected_rows.raw IS 'The row as it was read.';


CREATE TABLE snapshots (
    snapshot_id VARCHAR PRIMARY KEY,
    headline_count BIGINT NOT NULL,
    ingest_id VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE snapshots IS 'Immutable sets of accepted headlines.';
COMMENT ON COLUMN snapshots.snapshot_id IS 'Identity of the set, from its content.';
COMMENT ON COLUMN snapshots.headline_count IS 'Headlines in it.';
COMMENT ON COLUMN snapshots.ingest_id IS 'The ingestion that made it first.';
COMMENT ON COLUMN snapshots.created_at IS 'When it was made, UTC.';


CREATE TABLE snapshot_headlines (
    snapshot_id VARCHAR NOT NULL,
    headline_id VARCHAR NOT NULL,
    position BIGINT NOT NULL,
    copies BIGINT NOT NULL,
    PRIMARY KEY (snapshot_id, headline_id)
);
COMMENT ON TABLE snapshot_headlines IS 'Which headlines a snapshot holds, in order.';
COMMENT ON COLUMN snapshot_headlines.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN snapshot_headlines.headline_id IS 'The headline.';
COMMENT ON COLUMN snapshot_headlines.position IS 'Its place in the order of the source, from 0.';
COMMENT ON COLUMN snapshot_headlines.copies IS 'How many rows of the source it stands for.';


CREATE TABLE splits (
    split_id VARCHAR NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    headline_id VARCHAR NOT NULL,
    part VARCHAR NOT NULL CHECK (part IN ('train', 'validation', 'test')),
    PRIMARY KEY (split_id, headline_id)
);
COMMENT ON TABLE splits IS 'Which headline of a snapshot trains, which chooses between models and which judges.';
COMMENT ON COLUMN splits.split_id IS 'Identity of the split: the snapshot and the settings that divide it.';
COMMENT ON COLUMN splits.snapshot_id IS 'The snapshot that it divides.';
COMMENT ON COLUMN splits.headline_id IS 'The headline.';
COMMENT ON COLUMN splits.part IS 'train, validation or test.';


CREATE TABLE studies (
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
    status VARCHAR NOT NULL CHECK (status IN ('running', 'finished', 'failed')),
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);
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
COMMENT ON COLUMN studies.status IS 'running, finished or failed, of its latest run.';
COMMENT ON COLUMN studies.started_at IS 'When its latest run started, UTC.';
COMMENT ON COLUMN studies.finished_at IS 'When its latest run ended, UTC; NULL while it runs.';


CREATE TABLE cells (
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
    status VARCHAR NOT NULL CHECK (status IN ('planned', 'running', 'finished', 'failed')),
    reason VARCHAR,
    steps BIGINT,
    train_seconds DOUBLE,
    examples_per_second DOUBLE,
    peak_memory_bytes BIGINT,
    adapter_path VARCHAR,
    started_at TIMESTAMP,
    finished_at TIMESTAMP
);
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
COMMENT ON COLUMN cells.environment IS 'Library versions, device and precision that it ran with.';
COMMENT ON COLUMN cells.status IS 'planned, running, finished or failed.';
COMMENT ON COLUMN cells.reason IS 'Why it failed.';
COMMENT ON COLUMN cells.steps IS 'Optimiser steps; NULL unless fine-tuned.';
COMMENT ON COLUMN cells.train_seconds IS 'Seconds of training.';
COMMENT ON COLUMN cells.examples_per_second IS 'Headlines trained on, a second.';
COMMENT ON COLUMN cells.peak_memory_bytes IS 'Most memory that the process held, in bytes: of the GPU where there is one.';
COMMENT ON COLUMN cells.adapter_path IS 'Folder of the adapter.';
COMMENT ON COLUMN cells.started_at IS 'When it last started, UTC.';
COMMENT ON COLUMN cells.finished_at IS 'When it finished or failed, UTC.';


CREATE TABLE study_cells (
    study_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (study_id, cell_id)
);
COMMENT ON TABLE study_cells IS 'Which cells a study has, in order.';
COMMENT ON COLUMN study_cells.study_id IS 'The study.';
COMMENT ON COLUMN study_cells.cell_id IS 'The cell.';
COMMENT ON COLUMN study_cells.position IS 'Its place in the study, from 0.';


CREATE TABLE training_log (
    cell_id VARCHAR NOT NULL,
    step BIGINT NOT NULL,
    epoch DOUBLE NOT NULL,
    loss DOUBLE,
    learning_rate DOUBLE NOT NULL,
    grad_norm DOUBLE,
    examples_per_second DOUBLE,
    logged_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE training_log IS 'How each fine-tuned cell trained.';
COMMENT ON COLUMN training_log.cell_id IS 'The cell.';
COMMENT ON COLUMN training_log.step IS 'Optimiser step, from 1.';
COMMENT ON COLUMN training_log.epoch IS 'Passes over the train part so far.';
COMMENT ON COLUMN training_log.loss IS 'Loss in nats a token; NULL where it was no number.';
COMMENT ON COLUMN training_log.learning_rate IS 'Learning rate of the step.';
COMMENT ON COLUMN training_log.grad_norm IS 'Norm of the gradient before clipping; NULL where it was no number.';
COMMENT ON COLUMN training_log.examples_per_second IS 'Headlines trained on, a second, since the first step.';
COMMENT ON COLUMN training_log.logged_at IS 'When, UTC.';


CREATE TABLE evaluations (
    evaluation_id VARCHAR PRIMARY KEY,
    cell_id VARCHAR NOT NULL,
    split_id VARCHAR NOT NULL,
    part VARCHAR NOT NULL CHECK (part IN ('train', 'validation', 'test')),
    temperature DOUBLE,
    decoding_id VARCHAR,
    top_k BIGINT,
    top_p DOUBLE,
    draw_seed BIGINT,
    n BIGINT NOT NULL,
    accuracy DOUBLE NOT NULL,
    accuracy_low DOUBLE NOT NULL,
    accuracy_high DOUBLE NOT NULL,
    macro_f1 DOUBLE NOT NULL,
    macro_f1_low DOUBLE NOT NULL,
    macro_f1_high DOUBLE NOT NULL,
    expected_accuracy DOUBLE,
    unparsed_rate DOUBLE,
    strict_accuracy DOUBLE,
    seconds DOUBLE NOT NULL,
    headlines_per_second DOUBLE NOT NULL,
    evaluated_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE evaluations IS 'One cell on one part of the split at one temperature.';
COMMENT ON COLUMN evaluations.evaluation_id IS 'Identity of the evaluation.';
COMMENT ON COLUMN evaluations.cell_id IS 'The cell.';
COMMENT ON COLUMN evaluations.split_id IS 'The split.';
COMMENT ON COLUMN evaluations.part IS 'The part of the split: train, validation or test.';
COMMENT ON COLUMN evaluations.temperature IS 'Sampling temperature; NULL for a baseline, which does not sample.';
COMMENT ON COLUMN evaluations.decoding_id IS 'Identity of top-k, top-p and the seed of the draws; NULL for a baseline.';
COMMENT ON COLUMN evaluations.top_k IS 'Sampled among the k likeliest tokens; NULL for all.';
COMMENT ON COLUMN evaluations.top_p IS 'Sampled among the fewest tokens that hold this probability; NULL for all.';
COMMENT ON COLUMN evaluations.draw_seed IS 'Seed of the draws; NULL for a baseline.';
COMMENT ON COLUMN evaluations.n IS 'Headlines evaluated.';
COMMENT ON COLUMN evaluations.accuracy IS 'Share of headlines whose sampled label is right; anything unparsed counts as neutral.';
COMMENT ON COLUMN evaluations.accuracy_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN evaluations.accuracy_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN evaluations.macro_f1 IS 'Mean of the F1 of the three labels.';
COMMENT ON COLUMN evaluations.macro_f1_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN evaluations.macro_f1_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN evaluations.expected_accuracy IS 'Mean probability of the right label: the accuracy without the noise of the draws.';
COMMENT ON COLUMN evaluations.unparsed_rate IS 'Share of headlines whose sampled token is no label.';
COMMENT ON COLUMN evaluations.strict_accuracy IS 'Accuracy where anything unparsed counts as wrong.';
COMMENT ON COLUMN evaluations.seconds IS 'Seconds of scoring.';
COMMENT ON COLUMN evaluations.headlines_per_second IS 'Headlines scored a second.';
COMMENT ON COLUMN evaluations.evaluated_at IS 'When, UTC.';


CREATE SCHEMA ledger;

CREATE TABLE ledger.predictions (
    evaluation_id VARCHAR NOT NULL,
    headline_id VARCHAR NOT NULL,
    predicted VARCHAR NOT NULL CHECK (predicted IN ('negative', 'neutral', 'positive')),
    p_negative DOUBLE,
    p_neutral DOUBLE,
    p_positive DOUBLE,
    p_unparsed DOUBLE,
    PRIMARY KEY (evaluation_id, headline_id)
);
COMMENT ON TABLE ledger.predictions IS 'Every prediction, one row a headline and evaluation; the view main.predictions adds study, cell and label.';
COMMENT ON COLUMN ledger.predictions.evaluation_id IS 'The evaluation.';
COMMENT ON COLUMN ledger.predictions.headline_id IS 'The headline.';
COMMENT ON COLUMN ledger.predictions.predicted IS 'The label that was sampled or, for a baseline, decided.';
COMMENT ON COLUMN ledger.predictions.p_negative IS 'Probability of sampling negative; NULL for a baseline without probabilities.';
COMMENT ON COLUMN ledger.predictions.p_neutral IS 'Probability of sampling neutral; NULL for a baseline without probabilities.';
COMMENT ON COLUMN ledger.predictions.p_positive IS 'Probability of sampling positive; NULL for a baseline without probabilities.';
COMMENT ON COLUMN ledger.predictions.p_unparsed IS 'Probability of sampling no label; NULL for a baseline without probabilities.';


CREATE TABLE champions (
    champion_id VARCHAR PRIMARY KEY,
    cell_id VARCHAR NOT NULL,
    study_id VARCHAR NOT NULL,
    decision VARCHAR NOT NULL CHECK (decision IN ('promoted', 'kept')),
    reason VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE champions IS 'Decisions of the promotion gate; the latest promoted cell is the champion.';
COMMENT ON COLUMN champions.champion_id IS 'Identity of the decision.';
COMMENT ON COLUMN champions.cell_id IS 'The cell that was promoted, or kept.';
COMMENT ON COLUMN champions.study_id IS 'The study that asked.';
COMMENT ON COLUMN champions.decision IS 'promoted or kept.';
COMMENT ON COLUMN champions.reason IS 'Why.';
COMMENT ON COLUMN champions.decided_at IS 'When, UTC.';


CREATE TABLE published_results (
    kind VARCHAR NOT NULL CHECK (kind IN ('base', 'fine-tuned')),
    learning_rate DOUBLE,
    epochs BIGINT,
    temperature DOUBLE NOT NULL,
    accuracy DOUBLE NOT NULL,
    macro_f1 DOUBLE NOT NULL
);
COMMENT ON TABLE published_results IS 'Figures of Camargo 2024 (Unicamp): Llama 2 7B on 900 test headlines of FinancialPhraseBank 50Agree.';
COMMENT ON COLUMN published_results.kind IS 'base or fine-tuned.';
COMMENT ON COLUMN published_results.learning_rate IS 'Peak learning rate; NULL for the base model.';
COMMENT ON COLUMN published_results.epochs IS 'Passes over the 900 train headlines; NULL for the base model.';
COMMENT ON COLUMN published_results.temperature IS 'Sampling temperature. The study names none for its best cell, 13 epochs: 0.1 is ours, its lowest.';
COMMENT ON COLUMN published_results.accuracy IS 'Published accuracy.';
COMMENT ON COLUMN published_results.macro_f1 IS 'Published macro-F1.';

INSERT INTO published_results (kind, learning_rate, epochs, temperature, accuracy, macro_f1) VALUES
    ('base', NULL, NULL, 0.1, 0.378, 0.273),
    ('base', NULL, NULL, 1, 0.389, 0.333),
    ('base', NULL, NULL, 10, 0.321, 0.197),
    ('fine-tuned', 2e-6, 1, 0.1, 0.386, 0.28),
    ('fine-tuned', 2e-6, 1, 1, 0.393, 0.34),
    ('fine-tuned', 2e-6, 1, 10, 0.336, 0.223),
    ('fine-tuned', 2e-4, 1, 0.1, 0.809, 0.807),
    ('fine-tuned', 2e-4, 1, 1, 0.802, 0.8),
    ('fine-tuned', 2e-4, 1, 10, 0.368, 0.287),
    ('fine-tuned', 2e-2, 1, 0.1, 0.333, 0.167),
    ('fine-tuned', 2e-2, 1, 1, 0.333, 0.167),
    ('fine-tuned', 2e-2, 1, 10, 0.333, 0.167),
    ('fine-tuned', 2e-6, 3, 0.1, 0.436, 0.38),
    ('fine-tuned', 2e-6, 3, 1, 0.401, 0.353),
    ('fine-tuned', 2e-6, 3, 10, 0.344, 0.23),
    ('fine-tuned', 2e-4, 3, 0.1, 0.842, 0.843),
    ('fine-tuned', 2e-4, 3, 1, 0.841, 0.843),
    ('fine-tuned', 2e-4, 3, 10, 0.392, 0.323),
    ('fine-tuned', 2e-2, 3, 0.1, 0.333, 0.167),
    ('fine-tuned', 2e-2, 3, 1, 0.333, 0.167),
    ('fine-tuned', 2e-2, 3, 10, 0.333, 0.167),
    ('fine-tuned', 2e-4, 13, 0.1, 0.867, 0.867);
