"""The refusal of a whole source names the reason and the remedy, and its rejected rows can be queried."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingestion.refusals import NothingAcceptedError, RefusedSourceError, TooManyRejectedError
from operations.intake import find_headlines, ingest_and_save
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from schemas.source import DataSettings
from storage import refusals
from tests.asking import ask

SOUND = [("Profit rose", "positive"), ("Costs rose", "negative"), ("An AGM", "neutral")]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    shutil.copy(prepared, tmp_path / "home")
    return tmp_path / "home"


def write(rows: Sequence[tuple[str, str]], name: str = "news.csv") -> str:
    Path(name).write_text("\n".join(["title,mood", *(",".join(row) for row in rows)]))
    return name


def settings(rows: Sequence[tuple[str, str]], **given: object) -> DataSettings:
    named = {"source": write(rows), "text_column": "title", "label_column": "mood"}
    return DataSettings.model_validate(named | given)


def refuse(data: DataSettings) -> RefusedSourceError:
    with pytest.raises(RefusedSourceError) as caught:
        ingest_and_save(data, lambda _: None)
    assert "\n" not in str(caught.value)
    return caught.value


def refused_rows(home: Path) -> list[tuple[object, ...]]:
    return ask(home, "SELECT source, row_number, reason FROM refused_rows")


UNKNOWN = [
    *((f"Profit {number} rose", "bullish") for number in range(4)),
    ("An AGM", "mixed: so"),
    ("Costs", "Bearish"),
]


def test_unknown_labels_are_reported_with_their_column_their_counts_and_rows(home: Path) -> None:
    error = refuse(settings([*SOUND, *UNKNOWN]))
    share = "6 of 9 rows rejected, a share of 0.667 where data.max_rejected allows 0.1"
    shown = [f"row {number + 4} 'Profit {number} rose,bullish'" for number in range(3)]
    counts = "'bullish' 4, 'mixed: so' 1, 'Bearish' 1"
    assert f"source 'news.csv': {share}: 6 rows with an unknown label in column 'mood' ({counts})" in str(error)
    assert error.details == (
        f"4 rows: unknown label 'bullish': {', '.join(shown)}",
        "1 row: unknown label 'mixed: so': row 8 'An AGM,mixed: so'",
        "1 row: unknown label 'Bearish': row 9 'Costs,Bearish'",
    )


def test_the_label_map_of_the_message_can_be_pasted_and_marks_what_is_left_to_fill_in(home: Path) -> None:
    message = str(refuse(settings([*SOUND, *UNKNOWN], label_map={"x": None})))
    pasted = "--set 'data.label_map={x: null, bullish: positive, \"mixed: so\": LABEL, Bearish: negative}'"
    assert (
        f"map them by {pasted}, with positive, neutral, negative or null (such rows are left out) for LABEL" in message
    )
    completed = pasted.removeprefix("--set '").removesuffix("'").replace("LABEL", "neutral")
    data = build_config(apply_overrides(load_profile("desk"), [completed])).data
    assert ingest_and_save(settings([*SOUND[:2], *UNKNOWN], label_map=data.label_map), lambda _: None).is_new


@pytest.mark.parametrize(
    ("labels", "pasted"),
    [
        (("-1", "0", "1"), "{-1: negative, 0: neutral, 1: positive}"),
        (("0", "1.0", "2"), '{0: LABEL, "1.0": LABEL, 2: LABEL}'),
        (("yes", "null", 'a"b\\'), '{"yes": LABEL, "a\\"b\\\\": LABEL}'),
    ],
)
def test_numbers_are_mapped_only_if_they_can_mean_one_thing(home: Path, labels: Sequence[str], pasted: str) -> None:
    Path("news.json").write_text("")
    rows = [(f"Headline {chr(65 + n)}", label.replace('"', '""')) for n, label in enumerate(labels)]
    assert f"data.label_map={pasted}" in str(refuse(settings([(text, f'"{label}"') for text, label in rows])))


def test_many_unknown_labels_suggest_another_column_and_keep_the_message_short(home: Path) -> None:
    error = refuse(settings([(f"Profit {number} rose", f"{number:05}{'x' * 500}") for number in range(500)]))
    assert isinstance(error, NothingAcceptedError)
    assert "none of its 500 rows can be used: 500 rows with an unknown label" in str(error)
    assert "and 495 more); if another column holds the label, name it with --label-column NAME" in str(error)
    assert len(str(error)) < 700
    assert (len(error.details), error.details[-1]) == (21, "480 more reasons")


@pytest.mark.parametrize(
    ("conflicts", "message"),
    [
        ("drop", "conflicting labels are settled by --set data.conflicts=majority or --set data.conflicts=keep"),
        ("majority", "ties are settled by --set data.conflicts=keep"),
    ],
)
def test_a_refusal_because_of_conflicting_labels_names_the_setting_that_settles_them(
    home: Path, conflicts: str, message: str
) -> None:
    rows = [*SOUND, ("Sales", "positive"), ("Sales", "negative")]
    error = refuse(settings(rows, conflicts=conflicts))
    assert "2 rows whose text has several labels" in str(error)
    assert message in str(error)
    assert ("a tie among the rows with this text: 1 negative, 1 positive" in error.details[0]) == (
        conflicts == "majority"
    )


def test_of_other_reasons_the_commonest_is_named(home: Path) -> None:
    rows = [*SOUND, ("", "positive"), ("", "neutral")]
    assert "allows 0.1: 2 rows with empty text; mend the rows" in str(refuse(settings(rows)))
    rows.append(("Sales", "positive,up"))
    assert "allows 0.1: 3 rows for other reasons, most often: empty text; mend the rows" in str(refuse(settings(rows)))


def test_rows_without_a_label_can_be_left_out_as_the_message_says(home: Path) -> None:
    rows = [*SOUND, ("Sales", ""), ("Orders", "n/a")]
    message = str(refuse(settings(rows)))
    assert "2 rows without a label; rows without a label are left out by --set 'data.label_map={\"\": null}'" in message
    lines: list[str] = []
    ingest_and_save(settings(rows, label_map={"": None}), lines.append)
    assert lines[0] == "news.csv: 5 rows read, 3 headlines accepted, 0 copies merged, 0 rejected, 2 left out"
    left_out = "SELECT source, row_number, reason, raw FROM left_out_rows ORDER BY row_number"
    assert ask(home, left_out) == [
        ("news.csv", 4, "no label", "Sales,"),
        ("news.csv", 5, "no label, written as 'n/a'", "Orders,n/a"),
    ]
    counts = "SELECT rows_read, rows_accepted, rows_merged, rows_rejected, rows_left_out FROM sources"
    assert ask(home, counts) == [(5, 3, 0, 0, 2)]


def test_rejected_rows_of_a_refused_source_are_kept_until_it_is_refused_again_or_ingested(home: Path) -> None:
    error = refuse(settings([*SOUND, ("Sales", "up"), ("Orders", "up")]))
    statement = str(error).rpartition('fintone sql "')[2].removesuffix('"')
    expected = [("news.csv", 4, "unknown label 'up'"), ("news.csv", 5, "unknown label 'up'")]
    assert [row[:3] for row in ask(home, statement)] == expected
    assert refused_rows(home) == expected
    refuse(settings([*SOUND, ("Sales", "up")]))
    assert refused_rows(home) == expected[:1]
    with pytest.raises(TooManyRejectedError):
        ingest_and_save(
            DataSettings(source=write([("Sales", "?"), *SOUND], "other.csv"), label_column="mood", text_column="title"),
            print,
        )
    assert [name for name, *_ in refused_rows(home)] == ["other.csv", "news.csv"]
    ingest_and_save(settings([*SOUND, ("Sales", "up")], label_map={"up": "positive"}), lambda _: None)
    assert [name for name, *_ in refused_rows(home)] == ["other.csv"]
    assert ask(home, "SELECT count(*) FROM rejected_rows") == [(0,)]


def test_no_more_rows_of_a_refused_source_are_kept_than_the_bound(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_ROWS", 2)
    refuse(settings(UNKNOWN))
    assert [number for _, number, _ in refused_rows(home)] == [1, 2]


def test_a_known_source_that_a_lower_bound_refuses_names_where_its_rows_are(home: Path) -> None:
    rows = [*SOUND, ("Sales", "up")]
    ingested = ingest_and_save(settings(rows, max_rejected=0.5), lambda _: None)
    error = refuse(settings(rows))
    assert str(error).endswith(f"fintone sql \"FROM rejected_rows WHERE ingest_id = '{ingested.ingest_id}'\"")
    assert error.details == ("1 row: unknown label 'up': row 4 'Sales,up'",)


def test_a_dry_run_keeps_nothing_of_a_refused_source(home: Path) -> None:
    shutil.rmtree(home)
    with pytest.raises(TooManyRejectedError, match="'up' 1"):
        find_headlines(settings([*SOUND, ("Sales", "up")]))
    assert not home.exists()


def test_a_refusal_is_reported_even_if_its_rows_cannot_be_kept(home: Path) -> None:
    shutil.rmtree(home)
    home.write_text("")
    assert "the rejected rows are not kept (FINTONE_HOME" in str(refuse(settings([*SOUND, ("Sales", "up")])))


def test_a_source_without_a_class_is_reported_each_time_it_is_ingested(home: Path) -> None:
    for _ in range(2):
        lines: list[str] = []
        ingest_and_save(settings(SOUND[:1]), lines.append)
        warning = "no headline is labelled negative or neutral, and a study needs all three labels"
        assert lines[-1].startswith(f"warning: news.csv: {warning}")
    lines = []
    ingest_and_save(settings(SOUND), lines.append)
    assert not any("warning" in line for line in lines)
