"""The columns of text and label are chosen by names and values in every format, and doubt is reported."""

import io
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from ingestion.columns import MissingColumnError
from ingestion.formats import read_content
from schemas.columns import ReadColumns
from schemas.source import UnlabelledSettings

DESK = [f"WIRE DESK COPY {number}" for number in range(118, 124)]
NEWS = [
    "Harbourside profit beats forecast",
    "Fenwick Mills posts wider loss",
    "Orlo names new auditor",
    "Castell wins ferry order",
    "Ruritania keeps its rate",
    "Northgate cuts 40 jobs",
]
MOODS = ["positive", "negative", "neutral"] * 2
CODES = ["2", "0", "1"] * 2
IDS = [str(number) for number in range(6)]
DATES = [f"2025-03-0{number}" for number in range(1, 7)]


def as_csv(table):
    rows = [table.keys(), *zip(*table.values(), strict=True)]
    return "\n".join(",".join(row) for row in rows).encode()


def as_json(table):
    return json.dumps([dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]).encode()


def as_json_lines(table):
    rows = (dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True))
    return "\n".join(map(json.dumps, rows)).encode()


def as_parquet(table):
    file = io.BytesIO()
    pq.write_table(pa.table(table), file)
    return file.getvalue()


def as_excel(table, above=()):
    workbook = Workbook()
    for row in [*above, list(table), *zip(*table.values(), strict=True)]:
        workbook.active.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


WRITERS = {"csv": as_csv, "json": as_json, "json lines": as_json_lines, "parquet": as_parquet, "excel": as_excel}
every_format = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def without_others(columns):
    return replace(columns, kept=(), published_at=None)


def unlabelled(content, **settings):
    found = read_content(content, "news", UnlabelledSettings(source="news", **settings))
    return [row.text for row in found.rows], found.columns


@every_format
def test_of_two_candidates_the_one_with_headlines_or_with_all_labels_is_read_and_both_are_reported(read, write):
    table = {"id": IDS, "text": DESK, "headline": NEWS, "label": ["neutral"] * 6, "sentiment": MOODS}
    ingestion = read(write(table))
    assert list(ingestion.accepted["text"]) == NEWS
    assert list(ingestion.accepted["label"]) == MOODS
    assert without_others(ingestion.columns) == ReadColumns("headline", "sentiment", ("text",), ("label",))
    assert [("text" in line, "headline" in line) for line in ingestion.columns.warn()[:1]] == [(True, True)]
    assert [("'label'" in line, "'sentiment'" in line) for line in ingestion.columns.warn()[1:]] == [(True, True)]
    kept = ("id", "text", "label", "sentiment")
    assert unlabelled(write(table)) == (NEWS, ReadColumns("headline", None, ("text",), kept=kept))


CHOICES = {
    "one of each": ({"text": NEWS, "label": MOODS}, ("text", "label", (), ())),
    "other columns": ({"date": DATES, "headline": NEWS, "class": MOODS, "id": IDS}, ("headline", "class", (), ())),
    "plural names": ({"Headlines": NEWS, "labels": MOODS}, ("Headlines", "labels", (), ())),
    "a known word in the name": ({"news": NEWS, "majority_label": MOODS}, ("news", "majority_label", (), ())),
    "two words": ({"News": NEWS, "Price Sentiment": MOODS}, ("News", "Price Sentiment", (), ())),
    "camel case": ({"tweet": NEWS, "goldLabel1": MOODS}, ("tweet", "goldLabel1", (), ())),
    "codes and words": (
        {"text": NEWS, "label": CODES, "label_text": MOODS},
        ("text", "label_text", (), ("label",)),
    ),
    "topics are no labels": (
        {"text": NEWS, "category": ["shares", "bonds", "rates"] * 2, "sentiment": MOODS},
        ("text", "sentiment", (), ()),
    ),
    "two that hold headlines": ({"title": NEWS, "text": NEWS[::-1], "label": MOODS}, ("text", "label", ("title",), ())),
    "an article and its title": (
        {"text": [f"{news} " * 40 for news in NEWS], "title": NEWS, "label": MOODS},
        ("title", "label", ("text",), ()),
    ),
    "a title of a person beside a text": (
        {"text": NEWS, "title": ["Ms", "Mr"] * 3, "label": MOODS},
        ("text", "label", (), ()),
    ),
    "a title of a person": (
        {"title": ["Ms", "Mr"] * 3, "comment": NEWS, "label": MOODS},
        ("title", "label", ("comment",), ()),
    ),
    "no labels": ({"text": NEWS, "label": [""] * 6, "sentiment": MOODS}, ("text", "sentiment", (), ("label",))),
    "a number in each headline": (
        {"text": [f"{n} {news}" for n, news in enumerate(NEWS)], "label": MOODS},
        ("text", "label", (), ()),
    ),
}  # fmt: skip


@every_format
@pytest.mark.parametrize("name", CHOICES)
def test_columns_are_chosen_by_names_and_values(read, write, name):
    table, expected = CHOICES[name]
    columns = read(write(table), max_rejected=1, conflicts="keep").columns
    assert without_others(columns) == ReadColumns(*expected)


@every_format
def test_a_column_that_is_named_is_read_without_doubt(read, write):
    table = {"text": DESK, "headline": NEWS, "label": ["neutral"] * 6, "sentiment": MOODS}
    ingestion = read(write(table), text_column="text", label_column="Sentiment")
    assert without_others(ingestion.columns) == ReadColumns("text", "sentiment")


@every_format
def test_spaces_around_a_name_are_not_part_of_it(read, write):
    ingestion = read(write({" text ": DESK, " headline": NEWS, "label ": MOODS}))
    assert without_others(ingestion.columns) == ReadColumns("headline", "label", ("text",))


def test_of_names_that_differ_only_in_case_the_exact_match_is_read(read):
    content = "Body,body,label\nProfit rose again,x,positive\n"
    assert read(content, text_column="body").columns.text == "body"
    assert read(content, text_column="BODY").columns.text == "Body"


@every_format
def test_codes_of_the_label_map_are_known_labels(read, write):
    table = {"text": NEWS, "sentiment": ["bullish"] * 6, "polarity": CODES}
    ingestion = read(write(table), label_map={"0": "negative", "1": "neutral", "2": "positive"})
    assert ingestion.columns.label == "polarity"
    assert list(ingestion.accepted["label"]) == MOODS


@every_format
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"headline": NEWS, "first": MOODS, "second": MOODS}, "; 'first' or 'second' may hold the label"),
        ({"News Title": NEWS, "label": MOODS}, "; 'News Title' may hold the text"),
        ({"headline": NEWS, "sentiment_score": ["0.62", "-0.48", "0.03"] * 2}, "has no label column"),
        ({"headline": NEWS, "positive": CODES, "negative": CODES}, "has no label column"),
    ],
)
def test_a_column_of_an_unknown_name_is_suggested_and_not_read(read, write, table, message):
    with pytest.raises(MissingColumnError, match=message):
        read(write(table))


def test_an_object_that_lacks_a_key_does_not_hide_it(read):
    rows = [{"text": "Profit rose"}, {"text": "Costs rose", "label": "negative"}, {"label": "neutral", "text": "AGM"}]
    for content in ("\n".join(map(json.dumps, rows)), json.dumps(rows)):
        ingestion = read(content, max_rejected=1)
        assert list(ingestion.accepted["label"]) == ["negative", "neutral"]
        assert list(ingestion.rejected["row_number"]) == [1]


def test_the_columns_of_every_file_of_a_folder_are_reported(tmp_path):
    from ingestion.ingest import read_source
    from schemas.source import DataSettings

    (tmp_path / "a.csv").write_bytes(as_csv({"text": NEWS, "label": MOODS}))
    (tmp_path / "b.json").write_bytes(as_json({"title": DESK, "sentence": NEWS, "label": MOODS}))
    (tmp_path / "c.txt").write_text("Profit rose@positive\n")
    ingestion = read_source(DataSettings(source=str(tmp_path)))
    assert without_others(ingestion.columns) == ReadColumns("text, sentence", "label", ("title",), ())


def test_the_first_values_decide_and_later_ones_do_not(read):
    rows = [f"WIRE COPY,{NEWS[number % 6]} {number},positive" for number in range(1_000)]
    late = [f"{NEWS[number % 6]} {number},WIRE COPY,positive" for number in range(5_000)]
    ingestion = read("\n".join(["text,headline,label", *rows, *late]), duplicates="keep")
    assert ingestion.columns.text == "headline"


def test_for_a_mistyped_column_the_nearest_is_suggested(read):
    table = "headline,mood_a,mood_b\nProfit rose,positive,positive\n"
    for options, suggestion in (
        ({"text_column": "headlin", "label_column": "mood_a"}, "'headline'"),
        ({"label_columns": ["moda_a", "mood_bb"]}, "'mood_a', 'mood_b'"),
        ({"split_column": "haedline", "label_column": "mood_a"}, "'headline'"),
    ):
        with pytest.raises(MissingColumnError, match=rf"; did you mean {suggestion}\?"):
            read(table, **options)


SHARED = {
    "text and of label: name another one with --text-column NAME or --label-column NAME": {
        "text_column": "mood",
        "label_column": "mood",
    },
    "text and of label: name another one with --text-column": {"text_column": "Mood"},
    "label and of published_at: name another one with --label-column NAME or --published-at-column": {
        "published_at_column": "mood"
    },
    "label and of context: ": {"context_column": "mood"},
}


@every_format
@pytest.mark.parametrize("use", SHARED)
def test_the_column_of_text_or_label_is_that_of_nothing_else(read, write, use):
    table = {"headline": NEWS, "mood": MOODS}
    with pytest.raises(MissingColumnError, match=f"would have 'mood' as the column of {use}"):
        read(write(table), **{"label_column": "mood", **SHARED[use]})


def test_one_number_for_two_columns_is_refused(read):
    with pytest.raises(MissingColumnError, match="would have '1' as the column of text and of label: "):
        read("positive,Profit rose\n", text_column="1", label_column="1")


def test_an_unlabelled_text_is_no_context_or_date(read):
    with pytest.raises(MissingColumnError, match=r"as the column of text and of context: .* or --context-column$"):
        unlabelled(as_csv({"headline": NEWS}), text_column="headline", context_column="headline")


def test_of_two_columns_of_one_name_the_first_is_read_and_the_remedy_is_another_name(read):
    rows = [f"Firm {n} reports higher sales this year,Firm {n} sells {n} ships to the navy,neutral" for n in range(9)]
    ingestion = read("\n".join(["headline,headline,label", *rows]))
    assert ingestion.accepted["text"].iloc[0] == "Firm 0 reports higher sales this year"
    [warning] = ingestion.columns.warn()
    assert warning == "the text was read from the first of the columns 'headline': if another is right, rename it"
