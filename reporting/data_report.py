"""The data report as Markdown, for a Prefect artifact or a file.

Every text of the source is shown as text: none can become markup, a link, a table's border or a direction of writing.
"""

from reporting.markdown import escape, render_table
from schemas.data_report import DataReport, Lengths, describe_damage
from schemas.listing import count, list_some

MOST_LISTED = 600
"""Characters of a list of names."""


def render_data_report(report: DataReport) -> str:
    """Markdown that begins with the answer in a line, and then a section for each question."""
    synthetic = ", generated and not written by people" if report.synthetic else ""
    read_as = f"{escape(report.kind)}, {escape(report.encoding or 'no encoding')}{synthetic}"
    sections = [
        f"## Data\n\n**{summarise(report)}**",
        f"{escape(report.source)}, {read_as}. Snapshot `{report.snapshot_id}`, ingestion `{report.ingest_id}`.",
        _render_columns(report),
        _render_labels(report),
        _render_rejected(report),
        _render_not_read(report),
        _render_copies(report),
        _render_changes(report),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def summarise(report: DataReport) -> str:
    """What became of the rows, in a line."""
    left_out = f", {report.rows_left_out:,} left out" if report.rows_left_out else ""
    quarantined = f"; {report.rows_quarantined:,} contradict each other" if report.rows_quarantined else ""
    return (
        f"{count(report.rows_read, 'row')} read{report.describe_added()}: "
        f"{report.rows_accepted:,} accepted, {report.rows_merged:,} merged as copies, "
        f"{report.rows_rejected:,} rejected{left_out}{quarantined}."
    )


def _render_columns(report: DataReport) -> str:
    columns = report.columns.describe()
    lines = [f"Columns: {escape(columns)}."] if columns else []
    lines += [f"**Warning:** {escape(warning, len(warning))}." for warning in report.warn()]
    return "\n\n".join(lines)


def _render_labels(report: DataReport) -> str:
    lengths = {each.label: each for each in report.lengths}
    rows = [
        (
            count.label,
            f"{count.headlines:,}",
            f"{count.rows:,}",
            f"{count.share:.1%}",
            *_show_lengths(lengths[count.label]),
        )
        for count in report.labels
    ]
    total = sum(count.rows for count in report.labels)
    rows.append(("all", f"{report.rows_accepted:,}", f"{total:,}", "100.0%", *_show_lengths(lengths[None])))
    titles = ("label", "headlines", "rows", "share", "characters, median", "99 %", "longest", "words, median")
    return "### Labels and lengths\n\n" + render_table(titles, rows)


def _show_lengths(lengths: Lengths) -> tuple[str, str, str, str]:
    return (
        f"{lengths.characters_median:g}",
        f"{lengths.characters_p99:g}",
        f"{lengths.characters_max:,}",
        f"{lengths.words_median:g}",
    )


def _render_rejected(report: DataReport) -> str:
    if not report.reasons:
        return ""
    rows = [(escape(each.reason), f"{each.rows:,}", escape(each.example)) for each in report.reasons]
    return "### Rejected\n\n" + render_table(("kind of reason", "rows", "for example"), rows)


def _render_not_read(report: DataReport) -> str:
    """What was passed over, and what was read and looks damaged."""
    parts = [f"Left out: {escape(report.describe_left_out(), MOST_LISTED)}."] if report.rows_left_out else []
    if report.not_read:
        parts.append(f"Not read: {escape(list_some(report.not_read), MOST_LISTED)}.")
    if report.headlines_damaged:
        description = describe_damage(report.headlines_damaged, report.damaged_example)
        parts.append(
            f"{escape(description, MOST_LISTED)}. That is: replacement characters, text read in the wrong encoding, or "
            "HTML entities. They are kept as they are."
        )
    return "### Not read, or damaged\n\n" + "\n\n".join(parts) if parts else ""


def _render_copies(report: DataReport) -> str:
    parts = []
    if report.resolutions:
        listed = ", ".join(f"{rows:,} {resolution}" for resolution, rows in report.resolutions)
        parts.append(f"Rows whose text is also labelled otherwise: {listed}.")
    if report.copies:
        kinds = [
            (each.kind, f"{each.groups:,}", f"{each.headlines:,}", f"{each.conflicting:,}") for each in report.copies
        ]
        parts.append(render_table(("near copies", "groups", "headlines", "groups with several labels"), kinds))
        groups = [
            (escape(group.example), f"{group.headlines:,}", group.kind, ", ".join(group.labels))
            for group in report.largest_groups
        ]
        parts.append(render_table(("largest groups", "headlines", "kind", "labels"), groups))
    return "### Copies and contradictions\n\n" + "\n\n".join(parts) if parts else ""


def _render_changes(report: DataReport) -> str:
    if report.changes is None:
        return ""
    added, removed, relabelled, unchanged = report.changes
    rows = [
        (each.measure, _number(each.value), "" if each.is_index else _number(each.previous_value), each.verdict)
        for each in report.drift
    ]
    counts = f"Headlines: {added:,} added, {removed:,} removed, {relabelled:,} relabelled, {unchanged:,} unchanged."
    table = render_table(("measure", "now", "before", "drift"), rows)
    return f"### Since snapshot {report.previous_snapshot_id}\n\n{counts}\n\n{table}"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"
