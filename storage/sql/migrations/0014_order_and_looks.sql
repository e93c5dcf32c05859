-- What decides by order is ordered by a number, since a clock can be set back; and looks at test headlines are counted.

ALTER TABLE champions ADD COLUMN number BIGINT;
COMMENT ON COLUMN champions.number IS 'Number of the decision, from 1. The highest one says who is champion, whatever the clock said.';
UPDATE champions SET number = ordered.number
FROM (SELECT champion_id, row_number() OVER (ORDER BY decided_at, rowid) AS number FROM champions) AS ordered
WHERE ordered.champion_id = champions.champion_id;

ALTER TABLE studies ADD COLUMN number BIGINT;
COMMENT ON COLUMN studies.number IS 'Number of its latest start, from 1. The highest one is the latest study, whatever the clock said.';
COMMENT ON COLUMN studies.config IS 'Every setting of its latest run.';
UPDATE studies SET number = ordered.number
FROM (SELECT study_id, row_number() OVER (ORDER BY started_at, rowid) AS number FROM studies) AS ordered
WHERE ordered.study_id = studies.study_id;

ALTER TABLE studies ADD COLUMN ingest_id VARCHAR;
COMMENT ON COLUMN studies.ingest_id IS 'The ingestion that gave its snapshot; NULL of a study that is older than this column.';

ALTER TABLE sources ADD COLUMN number BIGINT;
COMMENT ON COLUMN sources.number IS 'Number of the ingestion, from 1, in the order in which they were made.';
UPDATE sources SET number = ordered.number
FROM (SELECT ingest_id, row_number() OVER (ORDER BY ingested_at, rowid) AS number FROM sources) AS ordered
WHERE ordered.ingest_id = sources.ingest_id;

ALTER TABLE snapshots ADD COLUMN number BIGINT;
COMMENT ON COLUMN snapshots.number IS 'Number of the snapshot, from 1, in the order in which they were made.';
UPDATE snapshots SET number = ordered.number
FROM (SELECT snapshot_id, row_number() OVER (ORDER BY created_at, rowid) AS number FROM snapshots) AS ordered
WHERE ordered.snapshot_id = snapshots.snapshot_id;

ALTER TABLE source_visits ADD COLUMN number BIGINT;
COMMENT ON COLUMN source_visits.number IS 'Number of the visit, from 1, in the order in which they were made.';
UPDATE source_visits SET number = ordered.number
FROM (SELECT rowid AS id, row_number() OVER (ORDER BY met_at, rowid) AS number FROM source_visits) AS ordered
WHERE ordered.id = source_visits.rowid;


-- Decisions of the first versions tell neither the temperature, which was the lowest, nor the champion before.
UPDATE champions SET temperature = lowest.temperature
FROM (SELECT cell_id, min(temperature) AS temperature FROM evaluations WHERE part = 'test' GROUP BY cell_id) AS lowest
WHERE champions.temperature IS NULL AND lowest.cell_id = champions.cell_id;
UPDATE champions SET champion_temperature = lowest.temperature
FROM (SELECT cell_id, min(temperature) AS temperature FROM evaluations WHERE part = 'test' GROUP BY cell_id) AS lowest
WHERE champions.champion_temperature IS NULL AND lowest.cell_id = champions.champion_cell_id;

ALTER TABLE champions ADD COLUMN previous_temperature DOUBLE;
COMMENT ON COLUMN champions.previous_temperature IS 'Sampling temperature of the champion before the decision; NULL where there was none.';
UPDATE champions SET
    previous_temperature = before.champion_temperature,
    previous_cell_id = coalesce(champions.previous_cell_id, before.champion_cell_id)
FROM champions AS before
WHERE before.number = champions.number - 1;

ALTER TABLE champions ADD COLUMN evaluation_id VARCHAR;
COMMENT ON COLUMN champions.evaluation_id IS 'The evaluation on test by which the gate judged the cell; NULL where it read none, as where a person decided. The champion''s id where it is not known any more.';
ALTER TABLE champions ADD COLUMN promotion_level DOUBLE;
COMMENT ON COLUMN champions.promotion_level IS 'The level that all looks at these test headlines have together; `level` is the share of this look.';
UPDATE champions SET evaluation_id = coalesce(judged.evaluation_id, champions.champion_id), promotion_level = judged.level
FROM (
    SELECT
        champion_id,
        arg_min(evaluations.evaluation_id, evaluations.temperature) AS evaluation_id,
        coalesce(any_value(studies.config->>'$.promotion.level')::DOUBLE, 0.05) AS level
    FROM champions
    JOIN studies USING (study_id)
    LEFT JOIN evaluations
        ON evaluations.cell_id = champions.cell_id
        AND evaluations.split_id = studies.split_id
        AND evaluations.decoding_id = studies.decoding_id
        AND evaluations.part = 'test'
        AND (evaluations.temperature = champions.temperature OR champions.temperature IS NULL)
    WHERE champions.decided_by = 'gate' AND champions.reason <> 'it is the champion already'
    GROUP BY champion_id
) AS judged
WHERE judged.champion_id = champions.champion_id;

ALTER TABLE champions ADD COLUMN look DOUBLE;
COMMENT ON COLUMN champions.look IS 'Which look of the gate at these test headlines this is, from 1; an earlier look counts by the share of them that its study''s snapshot held. NULL where the gate read no test figure.';
UPDATE champions SET look = counted.look
FROM (
    WITH looks AS (
        SELECT
            champions.number,
            min(champions.number) OVER (
                PARTITION BY evaluation_id, previous_cell_id, previous_temperature
            ) AS first_number, -- decisions by the same figures against the same champion are one look
            studies.split_id,
            studies.snapshot_id
        FROM champions
        JOIN studies USING (study_id)
        WHERE champions.evaluation_id IS NOT NULL
    ),
    keys AS (
        SELECT headline_id, unnest([headline_id, 'text ' || text_id, 'masked ' || masked_id]) AS key FROM headlines
    ),
    test AS (
        SELECT split_id, headline_id, key
        FROM splits
        JOIN keys USING (headline_id)
        WHERE part = 'test' AND split_id IN (SELECT split_id FROM looks)
    ),
    sizes AS (SELECT split_id, count(DISTINCT headline_id) AS headlines FROM test GROUP BY split_id),
    copies AS (SELECT DISTINCT split_id, test.headline_id AS test_id, keys.headline_id FROM test JOIN keys USING (key)),
    shares AS (
        SELECT split_id, snapshot_headlines.snapshot_id, count(DISTINCT test_id) / any_value(headlines) AS share
        FROM copies
        JOIN snapshot_headlines USING (headline_id)
        JOIN sizes USING (split_id)
        WHERE snapshot_headlines.snapshot_id IN (SELECT snapshot_id FROM looks)
        GROUP BY ALL
    )
    SELECT later.number, 1 + coalesce(sum(shares.share), 0) AS look
    FROM looks AS later
    LEFT JOIN looks AS earlier ON earlier.number = earlier.first_number AND earlier.number < later.first_number
    LEFT JOIN shares ON shares.split_id = later.split_id AND shares.snapshot_id = earlier.snapshot_id
    GROUP BY later.number
) AS counted
WHERE counted.number = champions.number;

COMMENT ON COLUMN champions.study_id IS 'The study that asked, or else the latest one of the cell.';
COMMENT ON COLUMN champions.level IS 'The level that the p-value had to be below: what this look may spend of promotion_level, or all of it before looks were counted. NULL where a person decided.';
COMMENT ON TABLE champions IS 'Every decision on who is champion, by the promotion gate or a person; the one of the highest number says who is.';
