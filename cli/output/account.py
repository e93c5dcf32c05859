"""What came of an ingestion, as lines for a person."""

from collections.abc import Iterable

from schemas.data_report import DataReport, describe_damage, describe_reasons
from schemas.listing import count, list_some
from storage.examples import data_queries

Lines = list[tuple[str, str]]


def describe_ingestion(report: DataReport, *, is_new: bool) -> tuple[Lines, Lines]:
    """Account for every row, with the commonest reasons of the rejected ones, and name queries that show more.

    Returns:
        The account as (subject, description) lines, and the queries as (what it shows, SQL).
    """
    labels = _join(f"{each.headlines:,} {each.label}" for each in report.labels)
    lines = [
        ("source", f"{report.source}{'' if is_new else ' (nothing new: these rows are known)'}"),
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
        told = _join(f"{rows:,} {resolution}" for resolution, rows in report.resolutions)
        many = f"{count(report.rows_quarantined, 'row')} whose text is also labelled otherwise"
        lines.append(("contradictory", f"{many}: {told}"))
    if report.copies:
        told = _join(
            f"{count(each.headlines, 'headline')} in {count(each.groups, 'group')} ({each.kind})"
            for each in report.copies
        )
        lines.append(("near copies", told))
    lines.append(("snapshot", report.snapshot_id))
    if report.columns.describe():
        lines.append(("columns", report.columns.describe()))
    if report.columns.kept:
        lines.append(("kept", f"{list_some([repr(name) for name in report.columns.kept])}, in accepted_rows.extra"))
    if report.changes:
        added, removed, relabelled, _ = report.changes
        told = f"{added:,} added, {removed:,} removed, {relabelled:,} relabelled"
        lines.append((f"since {report.previous_snapshot_id}", told))
    drifted = [each for each in report.drift if each.drift in {"moderate", "major"}]
    lines += [("drift", f"{each.drift}, {each.measure} {each.value:.2f}") for each in drifted]
    reasons = dict.fromkeys(each.reason for each in report.drift if each.reason)
    lines += [("drift", f"unknown, because {reason}") for reason in reasons]
    lines += [("warning", warning) for warning in report.warn()]
    return lines, data_queries(
        report.ingest_id,
        report.snapshot_id,
        rejected=report.rows_rejected > 0,
        left_out=report.rows_left_out > 0,
        contradictory=report.rows_quarantined > 0,
        near_copies=bool(report.copies),
        dated=report.columns.says_more,
    )


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts)
