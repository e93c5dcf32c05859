-- Views of the data: what was accepted, what was refused, what repeats, and what changes. Defined again whenever the
-- warehouse is prepared.

CREATE OR REPLACE VIEW source_labels AS
SELECT
    sources.ingest_id,
    sources.source,
    headlines.label,
    count(*) AS headlines,
    sum(coalesce(source_copies.copies, snapshot_headlines.copies))::BIGINT AS rows_accepted,
    count(*) / sum(count(*)) OVER (PARTITION BY sources.ingest_id) AS share
FROM sources
JOIN snapshot_headlines USING (snapshot_id)
JOIN headlines USING (headline_id)
LEFT JOIN source_copies
    ON source_copies.ingest_id = sources.ingest_id AND source_copies.headline_id = headlines.headline_id
GROUP BY sources.ingest_id, sources.source, headlines.label
ORDER BY ALL;
COMMENT ON VIEW source_labels IS 'Accepted headlines of each source by label.';
COMMENT ON COLUMN source_labels.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN source_labels.source IS 'The source.';
COMMENT ON COLUMN source_labels.label IS 'negative, neutral or positive.';
COMMENT ON COLUMN source_labels.headlines IS 'Headlines with this label.';
COMMENT ON COLUMN source_labels.rows_accepted IS 'Rows of these headlines, copies included.';
COMMENT ON COLUMN source_labels.share IS 'Share of the headlines of the source, from 0 to 1.';


CREATE OR REPLACE VIEW accepted_rows AS
SELECT
    rows.ingest_id,
    rows.source,
    rows.row_number,
    rows.headline_id,
    headlines.text,
    headlines.label,
    rows.published_at,
    rows.instrument,
    rows.publisher,
    rows.extra
FROM ledger.accepted_rows AS rows
JOIN headlines USING (headline_id)
ORDER BY ALL;
COMMENT ON VIEW accepted_rows IS 'Every accepted row of a source, copies too, with its headline and the source''s other columns. A source that an older version read has no rows until `fintone ingest --again` has read it.';
COMMENT ON COLUMN accepted_rows.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN accepted_rows.source IS 'The file that the row came from.';
COMMENT ON COLUMN accepted_rows.row_number IS 'Its row in the file, from 1; several rows here share it where it has a label for each of several entities.';
COMMENT ON COLUMN accepted_rows.headline_id IS 'Its headline.';
COMMENT ON COLUMN accepted_rows.text IS 'The text of the headline.';
COMMENT ON COLUMN accepted_rows.label IS 'negative, neutral or positive.';
COMMENT ON COLUMN accepted_rows.published_at IS 'When it was published, UTC; NULL where the row does not have it.';
COMMENT ON COLUMN accepted_rows.instrument IS 'The ticker, ISIN or entity that it is about; NULL where the row does not have it.';
COMMENT ON COLUMN accepted_rows.publisher IS 'Who published it; NULL where the row does not have it.';
COMMENT ON COLUMN accepted_rows.extra IS 'The other columns by name, as JSON: extra->>''url'' is text; NULL where there are none.';


CREATE OR REPLACE VIEW rejected_reasons AS
SELECT
    ingest_id,
    kind AS reason,
    count(*) AS rows_rejected,
    count(DISTINCT reason) AS variants,
    arg_min(raw, (source, row_number)) AS example,
    min(source) AS source,
    arg_min(row_number, (source, row_number)) AS row_number,
    arg_min(reason, (source, row_number)) AS example_reason
FROM (
    SELECT
        ingest_id,
        source,
        row_number,
        reason,
        raw,
        regexp_replace(
            trim(regexp_replace(split_part(split_part(reason, '''', 1), '"', 1), '\d+', 'N', 'g')), ', written as$', ''
        ) AS kind
    FROM (
        SELECT ingest_id, source, row_number, raw, trim(unnest(regexp_extract_all(
            -- quoted parts are taken whole, since a label of a source may have any character
            reason, '(?:''(?:[^''\\]|\\.)*''|"(?:[^"\\]|\\.)*"|[^;]|;[^ ])+'
        ))) AS reason
        FROM rejected_rows
    )
)
GROUP BY ingest_id, kind
ORDER BY ingest_id, rows_rejected DESC, reason;
COMMENT ON VIEW rejected_reasons IS 'Why rows were rejected, by kind of reason: numbers are replaced by N and quoted parts are left out. A row with two reasons counts under each.';
COMMENT ON COLUMN rejected_reasons.ingest_id IS 'The ingestion.';
COMMENT ON COLUMN rejected_reasons.reason IS 'The kind of reason.';
COMMENT ON COLUMN rejected_reasons.rows_rejected IS 'Rows rejected for it.';
COMMENT ON COLUMN rejected_reasons.variants IS 'How many different reasons are of this kind.';
COMMENT ON COLUMN rejected_reasons.example IS 'The first such row, as it was read.';
COMMENT ON COLUMN rejected_reasons.source IS 'The file of that row.';
COMMENT ON COLUMN rejected_reasons.row_number IS 'Its row in that file, from 1.';
COMMENT ON COLUMN rejected_reasons.example_reason IS 'The reason of that row in full.';


CREATE OR REPLACE VIEW refused_rows AS
SELECT source, row_number, reason, raw, location, ingest_id, message, refused_at
FROM ledger.refused_rows
ORDER BY refused_at DESC, location, source, row_number;
COMMENT ON VIEW refused_rows IS 'The rejected rows of a source that was refused as a whole, at most 100,000; deleted when it is refused again or ingested.';
COMMENT ON COLUMN refused_rows.source IS 'The file that the row came from.';
COMMENT ON COLUMN refused_rows.row_number IS 'Its row in the file, from 1.';
COMMENT ON COLUMN refused_rows.reason IS 'Every reason why it was rejected.';
COMMENT ON COLUMN refused_rows.raw IS 'The row as it was read.';
COMMENT ON COLUMN refused_rows.location IS 'Where the source is: an absolute path, or hf:ORG/NAME.';
COMMENT ON COLUMN refused_rows.ingest_id IS 'Identity of the bytes and the settings that read them.';
COMMENT ON COLUMN refused_rows.message IS 'Why the source was refused.';
COMMENT ON COLUMN refused_rows.refused_at IS 'When it was refused, UTC.';


CREATE OR REPLACE VIEW near_copies AS
SELECT
    snapshot_id,
    group_id,
    count(*) AS headlines,
    sum(copies)::BIGINT AS rows_accepted,
    CASE
        WHEN count(DISTINCT text_id) = 1 THEN 'copies'
        WHEN count(DISTINCT masked_id) <> 1 THEN 'reworded'
        WHEN count(DISTINCT regexp_replace(
            regexp_replace(lower(nfc_normalize(text)), '\s+', ' ', 'g'), '\p{Nd}+([.,]\p{Nd}+)*', '0', 'g'
        )) = 1 THEN 'numbers'
        ELSE 'links'
    END AS kind,
    list_sort(list(DISTINCT label)) AS labels,
    count(DISTINCT label) > 1 AS is_conflicting,
    min(text) AS example
FROM (
    SELECT snapshot_id, group_id
    FROM snapshot_headlines
    WHERE group_id IS NOT NULL
    GROUP BY ALL
    HAVING count(*) > 1
)
JOIN snapshot_headlines USING (snapshot_id, group_id)
JOIN headlines USING (headline_id)
GROUP BY snapshot_id, group_id
ORDER BY snapshot_id, headlines DESC, group_id;
COMMENT ON VIEW near_copies IS 'Groups of two or more headlines of a snapshot that are copies or near copies of each other; a split keeps them together.';
COMMENT ON COLUMN near_copies.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN near_copies.group_id IS 'The group.';
COMMENT ON COLUMN near_copies.headlines IS 'Headlines in it.';
COMMENT ON COLUMN near_copies.rows_accepted IS 'Rows of these headlines in the source that made the snapshot, copies included.';
COMMENT ON COLUMN near_copies.kind IS 'copies: the same text. numbers: the same except for numbers and case. links: the same except also for links, @mentions, RT, trailing hashtags, HTML entities or mojibake. reworded: nearly the same words.';
COMMENT ON COLUMN near_copies.labels IS 'Their labels.';
COMMENT ON COLUMN near_copies.is_conflicting IS 'Whether they have more than one label.';
COMMENT ON COLUMN near_copies.example IS 'The text that sorts first.';


CREATE OR REPLACE VIEW snapshot_statistics AS
WITH lengths AS (
    SELECT snapshot_id, label, length(text) AS characters, len(string_split(text, ' ')) AS words
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
COMMENT ON COLUMN snapshot_statistics.words_median IS 'Median number of words, separated by spaces.';


CREATE OR REPLACE VIEW snapshot_changes AS
WITH members AS (
    SELECT snapshots.snapshot_id, snapshots.previous_snapshot_id, headline_id, true AS is_now
    FROM snapshots
    JOIN snapshot_headlines USING (snapshot_id)
    UNION ALL
    SELECT snapshots.snapshot_id, snapshots.previous_snapshot_id, before.headline_id, false
    FROM snapshots
    JOIN snapshot_headlines AS before ON before.snapshot_id = snapshots.previous_snapshot_id
),
compared AS (
    SELECT
        snapshot_id,
        previous_snapshot_id,
        headline_id,
        bool_or(is_now) AS is_there,
        bool_or(NOT is_now) AS was_there
    FROM members
    WHERE previous_snapshot_id IS NOT NULL
    GROUP BY ALL
),
by_label AS (
    SELECT
        snapshot_id,
        previous_snapshot_id,
        text_id,
        label,
        count(*) FILTER (is_there AND was_there) AS same,
        count(*) FILTER (is_there AND NOT was_there) AS new,
        count(*) FILTER (was_there AND NOT is_there) AS gone
    FROM compared
    JOIN headlines USING (headline_id)
    GROUP BY ALL
),
-- A headline whose day or instrument became known has another id, and is the same.
by_text AS (
    SELECT
        snapshot_id,
        previous_snapshot_id,
        text_id,
        sum(same + least(new, gone)) AS unchanged,
        sum(new - least(new, gone)) AS new,
        sum(gone - least(new, gone)) AS gone
    FROM by_label
    GROUP BY ALL
)
SELECT
    snapshot_id,
    previous_snapshot_id,
    sum(new - least(new, gone))::BIGINT AS added,
    sum(gone - least(new, gone))::BIGINT AS removed,
    sum(least(new, gone))::BIGINT AS relabelled,
    sum(unchanged)::BIGINT AS unchanged
FROM by_text
GROUP BY ALL
ORDER BY ALL;
COMMENT ON VIEW snapshot_changes IS 'How a snapshot differs from the one before it, in headlines: it has as many more as were added and not removed.';
COMMENT ON COLUMN snapshot_changes.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN snapshot_changes.previous_snapshot_id IS 'The one before it: of the same place, or else the latest one of whose headlines it holds half.';
COMMENT ON COLUMN snapshot_changes.added IS 'Headlines that were not there.';
COMMENT ON COLUMN snapshot_changes.removed IS 'Headlines that are no longer there.';
COMMENT ON COLUMN snapshot_changes.relabelled IS 'Headlines with another label than one of the same text that is no longer there.';
COMMENT ON COLUMN snapshot_changes.unchanged IS 'Headlines with the same text and label as before.';


CREATE OR REPLACE VIEW snapshot_drift AS
WITH histogram AS (
    SELECT snapshot_id, label, length(text) AS characters, count(*) AS n
    FROM snapshot_headlines
    JOIN headlines USING (headline_id)
    GROUP BY ALL
),
ranked AS (
    SELECT
        snapshot_id,
        characters,
        sum(sum(n)) OVER (PARTITION BY snapshot_id ORDER BY characters) / sum(sum(n)) OVER (PARTITION BY snapshot_id)
            AS share_up_to
    FROM histogram
    GROUP BY snapshot_id, characters
),
edges AS (
    SELECT snapshot_id, quantile, min(characters) AS characters
    FROM ranked
    CROSS JOIN (SELECT unnest(range(1, 10)) / 10 AS quantile)
    WHERE share_up_to >= quantile
    GROUP BY ALL
),
bounds AS (
    SELECT snapshot_id, list(DISTINCT characters) AS edges FROM edges GROUP BY ALL
),
pairs AS (
    SELECT snapshots.snapshot_id, previous_snapshot_id, edges
    FROM snapshots
    JOIN bounds ON bounds.snapshot_id = previous_snapshot_id
),
both_of AS (
    SELECT pairs.snapshot_id, 'now' AS moment, edges, label, characters, n
    FROM pairs
    JOIN histogram USING (snapshot_id)
    UNION ALL
    SELECT pairs.snapshot_id, 'before', edges, label, characters, n
    FROM pairs
    JOIN histogram ON histogram.snapshot_id = previous_snapshot_id
),
binned AS (
    SELECT snapshot_id, 'labels' AS measure, moment, label AS bin, n FROM both_of
    UNION ALL
    SELECT snapshot_id, 'lengths', moment, len(list_filter(edges, lambda edge: edge < characters))::VARCHAR, n FROM both_of
),
shares AS (
    SELECT
        snapshot_id,
        measure,
        bin,
        coalesce(sum(n) FILTER (moment = 'now'), 0)
            / sum(sum(n) FILTER (moment = 'now')) OVER (PARTITION BY snapshot_id, measure) AS value,
        coalesce(sum(n) FILTER (moment = 'before'), 0)
            / sum(sum(n) FILTER (moment = 'before')) OVER (PARTITION BY snapshot_id, measure) AS previous_value
    FROM binned
    GROUP BY snapshot_id, measure, bin
),
indices AS (
    SELECT
        snapshot_id,
        'PSI of ' || measure AS measure,
        sum(psi_term(value, now.headline_count, previous_value, before.headline_count)) AS value,
        psi_noise(count(*), any_value(now.headline_count), any_value(before.headline_count)) AS noise
    FROM shares
    JOIN snapshots AS now USING (snapshot_id)
    JOIN snapshots AS before ON before.snapshot_id = now.previous_snapshot_id
    GROUP BY snapshot_id, measure
),
measures AS (
    SELECT snapshot_id, 'share of ' || bin AS measure, value, previous_value FROM shares WHERE measure = 'labels'
    UNION ALL
    SELECT snapshots.snapshot_id, 'median characters', now.characters, before.characters
    FROM snapshots
    JOIN edges AS now ON now.snapshot_id = snapshots.snapshot_id AND now.quantile = 0.5
    JOIN edges AS before ON before.snapshot_id = previous_snapshot_id AND before.quantile = 0.5
    UNION ALL
    SELECT snapshot_id, measure, value, 0 FROM indices
),
readings AS (
    SELECT
        snapshots.snapshot_id,
        list_filter(
            list_sort(list_distinct(list_concat(json_keys(now.reading), json_keys(before.reading)))),
            lambda name: json_extract(now.reading, '$.' || name) IS DISTINCT FROM json_extract(before.reading, '$.' || name)
        ) AS changed
    FROM snapshots
    JOIN sources AS now USING (ingest_id)
    JOIN snapshots AS earlier ON earlier.snapshot_id = snapshots.previous_snapshot_id
    JOIN sources AS before ON before.ingest_id = earlier.ingest_id
    WHERE now.reading IS NOT NULL AND before.reading IS NOT NULL
),
judged AS (
    SELECT
        *,
        CASE
            WHEN noise IS NULL THEN NULL
            WHEN len(changed) > 0 THEN 'it was read with another ' || array_to_string(changed, ' and ')
            WHEN value <= noise AND noise > 0.25 THEN 'there are too few headlines, of which noise alone reaches a PSI of ' || round(noise, 2)
        END AS reason
    FROM measures
    JOIN snapshots USING (snapshot_id)
    LEFT JOIN (SELECT snapshot_id, measure, noise FROM indices) USING (snapshot_id, measure)
    LEFT JOIN readings USING (snapshot_id)
)
SELECT
    snapshot_id,
    previous_snapshot_id,
    measure,
    value,
    previous_value,
    value - previous_value AS difference,
    CASE
        WHEN noise IS NULL OR reason IS NOT NULL THEN NULL
        WHEN value <= noise THEN 'none'
        WHEN value > 0.25 THEN 'major'
        WHEN value > 0.1 THEN 'moderate'
        ELSE 'none'
    END AS drift,
    reason
FROM judged
ORDER BY snapshot_id, previous_snapshot_id, measure;
COMMENT ON VIEW snapshot_drift IS 'How labels and lengths of a snapshot differ from the one before it.';
COMMENT ON COLUMN snapshot_drift.snapshot_id IS 'The snapshot.';
COMMENT ON COLUMN snapshot_drift.previous_snapshot_id IS 'The one before it.';
COMMENT ON COLUMN snapshot_drift.measure IS 'Share of a label, the median length (the lower one of two in the middle), or a population stability index (PSI): the sum of (p - q) ln(p / q) over labels, or over the tenths of the lengths before; an empty bin counts as half a headline, and as at least 0.0001.';
COMMENT ON COLUMN snapshot_drift.value IS 'Now.';
COMMENT ON COLUMN snapshot_drift.previous_value IS 'Before; 0 for a PSI.';
COMMENT ON COLUMN snapshot_drift.difference IS 'Now less before.';
COMMENT ON COLUMN snapshot_drift.drift IS 'For a PSI: none up to 0.1, moderate up to 0.25, major beyond, as usual in credit scoring; also none where noise alone can explain the value. NULL where it is unknown.';
COMMENT ON COLUMN snapshot_drift.reason IS 'Why the drift is unknown: the two were read with different settings, or are too small.';


CREATE OR REPLACE VIEW split_leaks AS
WITH members AS (
    SELECT
        split_id,
        part,
        text,
        -- An earlier version may have put copies into several groups that count as one text now.
        min(group_id) OVER (PARTITION BY split_id, coalesce(masked_id, group_id)) AS group_id
    FROM splits
    JOIN snapshot_headlines USING (snapshot_id, headline_id)
    JOIN headlines USING (headline_id)
    WHERE group_id IS NOT NULL
)
SELECT
    split_id,
    group_id,
    count(*) FILTER (part = 'test') AS in_test,
    count(*) FILTER (part = 'train') AS in_train,
    count(*) FILTER (part = 'validation') AS in_validation,
    min(text) AS example
FROM members
GROUP BY split_id, group_id
HAVING bool_or(part = 'test') AND bool_or(part <> 'test')
ORDER BY split_id, group_id;
COMMENT ON VIEW split_leaks IS 'Near copies that are in test and also in train or validation: none in a hashed split, some in the split of the study.';
COMMENT ON COLUMN split_leaks.split_id IS 'The split.';
COMMENT ON COLUMN split_leaks.group_id IS 'The group of near copies.';
COMMENT ON COLUMN split_leaks.in_test IS 'Its headlines in test.';
COMMENT ON COLUMN split_leaks.in_train IS 'Its headlines in train.';
COMMENT ON COLUMN split_leaks.in_validation IS 'Its headlines in validation.';
COMMENT ON COLUMN split_leaks.example IS 'The text that sorts first.';
