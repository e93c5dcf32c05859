"""The result of an ingestion, as lines for people."""

from schemas.data_report import DataReport, describe_damage, describe_reasons
from schemas.listing import count, list_some
from storage.examples import data_queries

Lines = list[tuple[str, str]]


def describe_ingestion(report: DataReport, source: str, *, is_new: bool) -> tuple[Lines, Lines]:
    """Account for every row, with the most common reasons for rejection, and name queries that show more.

    Args:
        report: What was read.
        source: The name of the source, which may have had another name when it was read.
        is_new: Whether it was read now.

    Returns:
        The account as (subject, description) lines, and the queries as (what it shows, SQL).
    """
    labels = ", ".join(f"{labelled.headlines:,} {labelled.label}" for labelled in report.labels)
    before = "" if report.source == source else f", read before as {report.source}"
    lines = [
        ("source", f"{source}{'' if is_new else f' (nothing new: these rows are known{before})'}"),
        ("kind", f"{report.kind}, {report.encoding}"),
        ("rows read", f"{report.rows_read:,}{report.describe_added()}"),
        ("accepted", f"{report.rows_accepted:,}: {labels}"),
        ("merged", f"{report.rows_merged:,}"),
        ("rejected", f"{report.rows_rejected:,}{describe_reasons(report.reasons)}"),
    ]
    if report.rows_left_out:
        lines.append(("left out", report.describe_left_out()))
    if report.not_read:
        lines.append(("not read", list_some(report.not_read)))
    if report.headlines_damaged:
        lines.append(("damaged", describe_damage(report.headlines_damaged, report.damaged_example)))
    if report.resolutions:
        resolved = ", ".join(f"{rows:,} {resolution}" for resolution, rows in report.resolutions)
        rows = f"{count(report.rows_quarantined, 'row')} whose text also has another label"
        lines.append(("contradictory", f"{rows}: {resolved}"))
    if report.copies:
        groups = ", ".join(
            f"{count(copies.headlines, 'headline')} in {count(copies.groups, 'group')} ({copies.kind})"
            for copies in report.copies
        )
        lines.append(("near copies", groups))
    lines.append(("snapshot", report.snapshot_id))
    if report.columns.describe():
        lines.append(("columns", report.columns.describe()))
    if report.columns.kept:
        lines.append(("kept", f"{list_some([repr(name) for name in report.columns.kept])}, in accepted_rows.extra"))
    if report.changes:
        added, removed, relabelled, _ = report.changes
        changes = f"{added:,} added, {removed:,} removed, {relabelled:,} relabelled"
        lines.append((f"since {report.previous_snapshot_id}", changes))
    drifted = [drift for drift in report.drift if drift.drift in {"moderate", "major"}]
    lines += [("drift", f"{drift.drift}, {drift.measure} {drift.value:.2f}") for drift in drifted]
    unknown = [drift for drift in report.drift if drift.reason]
    lines += [("drift", f"{drift.measure} is unknown, because {drift.reason}") for drift in unknown]
    lines += [("warning", warning) for warning in report.warn()]
    return lines, data_queries(report)
