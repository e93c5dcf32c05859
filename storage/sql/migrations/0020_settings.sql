-- Any setting may vary: a cell has all its resolved settings and its base model, and a name in each of its studies.

ALTER TABLE cells ADD COLUMN base_revision VARCHAR;
ALTER TABLE cells ADD COLUMN base_folder VARCHAR;
UPDATE cells SET base_revision = (
    SELECT arg_max(studies.base_revision, studies.number)
    FROM studies
    JOIN study_cells USING (study_id)
    WHERE study_cells.cell_id = cells.cell_id
)
WHERE kind <> 'baseline';
UPDATE cells SET hyperparameters = json_object(
    'version', 2,
    'base_model', hyperparameters->'base_model',
    'prompt', hyperparameters->'prompt',
    'lora', hyperparameters->'lora',
    'training', json_merge_patch(
        json_object('learning_rate', learning_rate, 'epochs', epochs, 'seed', seed),
        hyperparameters->'training',
        '{"micro_batch_size": null, "gradient_checkpointing": null, "side_by_side": null}',
        '{"checkpoint_minutes": null, "checkpoint_steps": null, "retries": null}'
    )
)
WHERE kind = 'fine-tuned';
COMMENT ON COLUMN cells.model IS 'The base model, or the name of the baseline.';
COMMENT ON COLUMN cells.hyperparameters IS 'Every setting that has an effect on the cell, as it was resolved: base_model, prompt, lora and training. version is that of their form.';
COMMENT ON COLUMN cells.base_revision IS 'The exact revision of the base model, or the hash of its files; NULL for a baseline.';
COMMENT ON COLUMN cells.base_folder IS 'Where the base model was found; NULL for a baseline, and where an older version did not say.';

ALTER TABLE study_cells ADD COLUMN name VARCHAR;
UPDATE study_cells SET name = named.name
FROM (
    WITH own AS (
        SELECT study_cells.study_id, cells.*
        FROM study_cells
        JOIN cells USING (cell_id)
    ),
    varied AS (
        SELECT
            study_id,
            count(DISTINCT learning_rate) > 1 AS rates,
            count(DISTINCT epochs) > 1 AS lengths,
            count(DISTINCT seed) > 1 AS seeds,
            NOT (rates OR lengths OR seeds) AS nothing
        FROM own
        WHERE kind = 'fine-tuned'
        GROUP BY study_id
    )
    SELECT
        study_id,
        cell_id,
        CASE
            WHEN kind = 'fine-tuned' THEN concat_ws(
                ' ',
                if(rates OR nothing, 'lr=' || regexp_replace(format('{:.12e}', learning_rate), '\.?0*e', 'e'), NULL),
                if(lengths OR nothing, 'epochs=' || epochs, NULL),
                if(seeds, 'seed=' || seed, NULL)
            )
            ELSE kind || ': ' || model
        END AS name
    FROM own
    LEFT JOIN varied USING (study_id)
) AS named
WHERE named.study_id = study_cells.study_id AND named.cell_id = study_cells.cell_id;
COMMENT ON COLUMN study_cells.name IS 'What people call the cell in this study: it shows what varies there.';
COMMENT ON COLUMN studies.base_model IS 'The model that is fine-tuned; several have commas between them.';
COMMENT ON COLUMN studies.base_revision IS 'The exact revision or hash of that model, or of each.';
