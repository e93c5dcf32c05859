-- What analysts ask of the data: what came in, what was refused, what repeats, and how it changes. Defined anew whenever
-- the warehouse is prepared.

CREATE OR REPLACE VIEW source_labels AS
SELECT
    sources.ingest_id,
    sources.source,
    headlines.label,
    count(*) AS headlines,
    sum(snapshot_headlines.copies)::BIGINT AS rows_accepted,
    count(*) / sum(count(*)) OVER (PARTITION BY sources.ingest_id) AS share
FROM sources
JOIN snapshot_headlines USING (snapshot_id)
JOIN headlines USING (headline_id)
GROUP BY sources.ingest_id, sources.source, headlines.label
ORDER BY ALL;
COMMENT ON VIEW source_labels IS 'Accepted headlines of each source by label.';
COMMENT ON COLUMN source_labels.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN source_labels.source IS 'The source.';
COMMENT ON COLUMN source_labels.label IS 'negative, neutral or positive.';
COMMENT ON COLUMN source_labels.headlines IS 'Headlines with this label.';
COMMENT ON COLUMN source_labels.rows_accepted IS 'Rows that they stand for, copies counted.';
COMMENT ON COLUMN source_labels.share IS 'Share of the headlines of the source, from 0 to 1.';


CREATE OR REPLACE VIEW rejected_reasons AS
SELECT
    ingest_id,
    kind AS reason,
    count(*) AS rows_rejected,
    count(DISTINCT reason) AS variants,
    min(reason) AS example,
    min(source) AS source,
    min(row_number) AS row_number
FROM (
    SELECT
        ingest_id,
        source,
        row_number,
        reason,
        trim(regexp_replace(split_part(split_part(reason, '''', 1), '"', 1), '\d+', 'N', 'g')) AS kind
    FROM (SELECT ingest_id, source, row_number, unnest(string_split(reason, '; ')) AS reason FROM rejected_rows)
)
GROUP BY ingest_id, kind
ORDER BY ingest_id, rows_rejected DESC, reason;
COMMENT ON VIEW rejected_reasons IS 'Why rows were rejected, by kind of reason: numbers read N and what stands in quotes is left out. A row with two reasons counts under each.';
COMMENT ON COLUMN rejected_reasons.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN rejected_reasons.reason IS 'The kind of reason.';
COMMENT ON COLUMN rejected_reasons.rows_rejected IS 'Rows rejected for it.';
COMMENT ON COLUMN rejected_reasons.variants IS 'How many different reasons are of this kind.';
COMMENT ON COLUMN rejected_reasons.example IS 'One of them in full.';
COMMENT ON COLUMN rejected_reasons.source IS 'A file with such a row.';
COMMENT ON COLUMN rejected_reasons.row_number IS 'The lowest number of such a row.';


CREATE OR REPLACE VIEW near_copies AS
SELECT
    snapshot_id,
    group_id,
    count(*) AS headlines,
    sum(copies)::BIGINT AS rows_accepted,
    CASE
        WHEN count(DISTINCT text_id) = 1 THEN 'copies'
        WHEN count(DISTINCT masked_id) = 1 THEN 'numbers'
        ELSE 'reworded'
    END AS kind,
    list_sort(list(DISTINCT label)) AS labels,
    count(DISTINCT label) > 1 AS is_conflicting,
    min(text) AS example
FROM snapshot_headlines
JOIN headlines USING (headline_id)
WHERE group_id IS NOT NULL
GROUP BY snapshot_id, group_id
HAVING count(*) > 1
ORDER BY snapshot_id, headlines DESC, group_id;
COMMENT ON VIEW near_copies IS 'Groups of two or more headlines of a snapshot that are copies or near copies of each other; a split keeps them together.';
COMMENT ON COLUMN near_copies.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN near_copies.group_id IS 'The group.';
COMMENT ON COLUMN near_copies.headlines IS 'Headlines in it.';
COMMENT ON COLUMN near_copies.rows_accepted IS 'Rows that they stand for.';
COMMENT ON COLUMN near_copies.kind IS 'copies: the same text. numbers: the same but for numbers and case. reworded: nearly the same words.';
COMMENT ON COLUMN near_copies.labels IS 'Their labels.';
COMMENT ON COLUMN near_copies.is_conflicting IS 'Whether they have more than one label.';
COMMENT ON COLUMN near_copies.example IS 'The text that sorts first.';


CREATE OR REPLACE VIEW snapshot_statistics AS
WITH lengths AS (
    SELECT snapshot_id, label, length(text) AS characters, len(string_split_regex(trim(text), '\s+')) AS words
    FROM snapshot_headlines
    JOIN headlines USING (headline_id)
),
counted AS (
    SELECT
        snapshot_id,
        label,
        count(*) AS headlines,
        min(characters) AS characters_min,
        median(characters) AS characters_median,
        quantile_cont(characters, 0.99) AS characters_p99,
        max(characters) AS characters_max,
        median(words) AS words_median
    FROM lengths
    GROUP BY GROUPING SETS ((snapshot_id, label), (snapshot_id))
)
SELECT
    snapshot_id,
    label,
    headlines,
    headlines / max(headlines) OVER (PARTITION BY snapshot_id) AS share,
    characters_min,
    characters_median,
    characters_p99,
    characters_max,
    words_median
FROM counted
ORDER BY snapshot_id, label NULLS LAST;
COMMENT ON VIEW snapshot_statistics IS 'Counts and lengths of a snapshot by label, and of all its headlines in the row where the label is NULL.';
COMMENT ON COLUMN snapshot_statistics.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN snapshot_statistics.label IS 'negative, neutral or positive; NULL for all.';
COMMENT ON COLUMN snapshot_statistics.headlines IS 'Headlines.';
COMMENT ON COLUMN snapshot_statistics.share IS 'Share of the snapshot, from 0 to 1.';
COMMENT ON COLUMN snapshot_statistics.characters_min IS 'Characters of the shortest.';
COMMENT ON COLUMN snapshot_statistics.characters_median IS 'Median characters.';
COMMENT ON COLUMN snapshot_statistics.characters_p99 IS 'Characters that 99 % do not exceed.';
COMMENT ON COLUMN snapshot_statistics.characters_max IS 'Characters of the longest.';
COMMENT ON COLUMN snapshot_statistics.words_median IS 'Median words, as white space parts them.';


CREATE OR REPLACE VIEW snapshot_changes AS
WITH texts AS (
    SELECT DISTINCT snapshot_id, text_id, label
    FROM snapshot_headlines
    JOIN headlines USING (headline_id)
),
compared AS (
    SELECT
        snapshots.snapshot_id,
        snapshots.previous_snapshot_id,
        now.text_id,
        now.label AS label,
        before.label AS previous_label
    FROM snapshots
    JOIN texts AS now USING (snapshot_id)
    LEFT JOIN texts AS before
        ON before.snapshot_id = snapshots.previous_snapshot_id AND before.text_id = now.text_id
    WHERE snapshots.previous_snapshot_id IS NOT NULL
),
by_text AS (
    SELECT
        snapshot_id,
        previous_snapshot_id,
        text_id,
        bool_or(previous_label IS NOT NULL) AS was_there,
        bool_or(previous_label = label) AS kept_its_label
    FROM compared
    GROUP BY ALL
),
gone AS (
    SELECT snapshots.snapshot_id, count(DISTINCT before.text_id) AS removed
    FROM snapshots
    JOIN texts AS before ON before.snapshot_id = snapshots.previous_snapshot_id
    ANTI JOIN texts AS now ON now.snapshot_id = snapshots.snapshot_id AND now.text_id = before.text_id
    GROUP BY ALL
)
SELECT
    snapshot_id,
    previous_snapshot_id,
    count(*) FILTER (NOT was_there) AS added,
    coalesce(any_value(removed), 0) AS removed,
    count(*) FILTER (was_there AND NOT kept_its_label) AS relabelled,
    count(*) FILTER (kept_its_label) AS unchanged
FROM by_text
LEFT JOIN gone USING (snapshot_id)
GROUP BY ALL
ORDER BY ALL;
COMMENT ON VIEW snapshot_changes IS 'What a snapshot added to the one before it, in distinct texts.';
COMMENT ON COLUMN snapshot_changes.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN snapshot_changes.previous_snapshot_id IS 'The one before it: of the same source, or else the latest that shares a headline.';
COMMENT ON COLUMN snapshot_changes.added IS 'Texts that were not there.';
COMMENT ON COLUMN snapshot_changes.removed IS 'Texts that are no longer there.';
COMMENT ON COLUMN snapshot_changes.relabelled IS 'Texts whose label is another now.';
COMMENT ON COLUMN snapshot_changes.unchanged IS 'Texts with a label that they had.';


CREATE OR REPLACE VIEW snapshot_drift AS
WITH lengths AS (
    SELECT snapshot_id, label, length(text) AS characters
    FROM snapshot_headlines
    JOIN headlines USING (headline_id)
),
pairs AS (
    SELECT snapshot_id, previous_snapshot_id FROM snapshots WHERE previous_snapshot_id IS NOT NULL
),
shares AS (
    SELECT pairs.snapshot_id, previous_snapshot_id, names.label, coalesce(now.share, 0) AS value,
        coalesce(before.share, 0) AS previous_value
    FROM pairs
    CROSS JOIN (VALUES ('negative'), ('neutral'), ('positive')) AS names(label)
    LEFT JOIN snapshot_statistics AS now ON now.snapshot_id = pairs.snapshot_id AND now.label = names.label
    LEFT JOIN snapshot_statistics AS before ON before.snapshot_id = previous_snapshot_id AND before.label = names.label
),
bounds AS (
    SELECT pairs.snapshot_id, previous_snapshot_id, list_distinct(quantile_disc(characters, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])) AS edges
    FROM pairs
    JOIN lengths ON lengths.snapshot_id = previous_snapshot_id
    GROUP BY ALL
),
binned AS (
    SELECT bounds.snapshot_id, bounds.previous_snapshot_id, lengths.snapshot_id = bounds.snapshot_id AS is_now,
        len(list_filter(edges, lambda edge: edge < characters)) AS bin, count(*) AS n
    FROM bounds
    JOIN lengths ON lengths.snapshot_id IN (bounds.snapshot_id, bounds.previous_snapshot_id)
    GROUP BY ALL
),
bins AS (
    SELECT snapshot_id, previous_snapshot_id, bin,
        coalesce(sum(n) FILTER (is_now), 0) AS n,
        coalesce(sum(n) FILTER (NOT is_now), 0) AS previous_n
    FROM binned
    GROUP BY ALL
),
bin_shares AS (
    SELECT snapshot_id, previous_snapshot_id,
        greatest(n / sum(n) OVER (PARTITION BY snapshot_id, previous_snapshot_id), 0.0001) AS p,
        greatest(previous_n / sum(previous_n) OVER (PARTITION BY snapshot_id, previous_snapshot_id), 0.0001) AS q
    FROM bins
),
medians AS (
    SELECT pairs.snapshot_id, previous_snapshot_id, now.characters_median AS characters, before.characters_median AS previous_characters,
        now.words_median AS words, before.words_median AS previous_words
    FROM pairs
    JOIN snapshot_statistics AS now ON now.snapshot_id = pairs.snapshot_id AND now.label IS NULL
    JOIN snapshot_statistics AS before ON before.snapshot_id = previous_snapshot_id AND before.label IS NULL
),
measures AS (
    SELECT snapshot_id, previous_snapshot_id, 'share of ' || label AS measure, value, previous_value FROM shares
    UNION ALL
    SELECT snapshot_id, previous_snapshot_id, 'median characters', characters, previous_characters FROM medians
    UNION ALL
    SELECT snapshot_id, previous_snapshot_id, 'median words', words, previous_words FROM medians
    UNION ALL
    SELECT snapshot_id, previous_snapshot_id, 'PSI of labels',
        sum((greatest(value, 0.0001) - greatest(previous_value, 0.0001))
            * ln(greatest(value, 0.0001) / greatest(previous_value, 0.0001))), 0
    FROM shares
    GROUP BY ALL
    UNION ALL
    SELECT snapshot_id, previous_snapshot_id, 'PSI of lengths', sum((p - q) * ln(p / q)), 0 FROM bin_shares GROUP BY ALL
)
SELECT
    snapshot_id,
    previous_snapshot_id,
    measure,
    value,
    previous_value,
    value - previous_value AS difference,
    CASE WHEN measure LIKE 'PSI%' THEN CASE WHEN value > 0.25 THEN 'major' WHEN value > 0.1 THEN 'moderate' ELSE 'none' END END AS drift
FROM measures
ORDER BY ALL;
COMMENT ON VIEW snapshot_drift IS 'How labels and lengths of a snapshot differ from the one before it.';
COMMENT ON COLUMN snapshot_drift.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN snapshot_drift.previous_snapshot_id IS 'The one before it.';
COMMENT ON COLUMN snapshot_drift.measure IS 'Share of a label, a median length, or a population stability index (PSI): the sum of (p - q) ln(p / q) over labels, or over the tenths of the lengths before; a share of nothing counts as 0.0001.';
COMMENT ON COLUMN snapshot_drift.value IS 'Now.';
COMMENT ON COLUMN snapshot_drift.previous_value IS 'Before; 0 for a PSI.';
COMMENT ON COLUMN snapshot_drift.difference IS 'Now less before.';
COMMENT ON COLUMN snapshot_drift.drift IS 'For a PSI: none up to 0.1, moderate up to 0.25, major beyond, as is the custom in credit scoring.';


CREATE OR REPLACE VIEW split_leaks AS
SELECT
    split_id,
    group_id,
    count(*) FILTER (part = 'test') AS in_test,
    count(*) FILTER (part = 'train') AS in_train,
    count(*) FILTER (part = 'validation') AS in_validation,
    min(text) AS example
FROM splits
JOIN snapshot_headlines USING (snapshot_id, headline_id)
JOIN headlines USING (headline_id)
WHERE group_id IS NOT NULL
GROUP BY split_id, group_id
HAVING bool_or(part = 'test') AND bool_or(part <> 'test')
ORDER BY split_id, group_id;
COMMENT ON VIEW split_leaks IS 'Near copies that stand in test and also in train or validation: none in a hashed split, some in the one of the study.';
COMMENT ON COLUMN split_leaks.split_id IS 'The split.';
COMMENT ON COLUMN split_leaks.group_id IS 'The group of near copies.';
COMMENT ON COLUMN split_leaks.in_test IS 'Its headlines in test.';
COMMENT ON COLUMN split_leaks.in_train IS 'Its headlines in train.';
COMMENT ON COLUMN split_leaks.in_validation IS 'Its headlines in validation.';
COMMENT ON COLUMN split_leaks.example IS 'The text that sorts first.';
