"""A JSON document is read whatever its shape; one that is not read is named with its shape and a remedy."""

import io
import json

import pytest

from ingestion.formats import read_content
from ingestion.streams import open_stream
from schemas.errors import InputError
from schemas.source import UnlabelledSettings

ROWS = [("Profit rose", "positive"), ('Costs, "as ever", rose', "negative"), ("AGM on 5 May", "neutral")]
TEXTS, LABELS = [text for text, _ in ROWS], [label for _, label in ROWS]
OBJECTS = [{"text": text, "label": label} for text, label in ROWS]
SNAPSHOT = "cc1be82df9713dc5"


def numbered(values):
    return {str(number): value for number, value in enumerate(values)}


SHAPES = {
    "list in 'data'": {"data": OBJECTS},
    "list in 'response.docs'": {"status": "ok", "response": {"found": 3, "docs": OBJECTS}},
    "list in 'train', 'test'": {"train": OBJECTS[:2], "test": OBJECTS[2:]},
    "list in 'articles'": {"authors": [{"name": "A. Writer"}], "articles": OBJECTS},
    "list in 'hits.hits'": {"hits": {"total": {"value": 3}, "hits": [{"_id": 1, "_source": each} for each in OBJECTS]}},
    "columns": {"text": [text for text, _ in ROWS], "label": LABELS, "version": 2},
    "columns of pandas": {"text": numbered(TEXTS), "label": numbered(LABELS)},
    "columns within": {"version": 2, "data": {"text": TEXTS, "label": LABELS}},
    "objects by key": {f"id{number}": value for number, value in enumerate(OBJECTS)},
    "rows beside their names": {"columns": ["text", "label"], "index": [0, 1, 2], "data": ROWS},
    "rows below their names": [["text", "label"], *ROWS],
    "texts by label": {label: [text] for text, label in ROWS},
    "labels by text": dict(ROWS),
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_gives_the_same_headlines(read, name, indent):
    ingestion = read(json.dumps(SHAPES[name], indent=indent))
    assert ingestion.snapshot_id == SNAPSHOT
    assert (ingestion.rows_read, len(ingestion.rejected)) == (3, 0)
    assert ingestion.kind == f"json ({name.removesuffix(' of pandas').removesuffix(' within')})"


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_scored_from_a_file_and_from_a_stream(name, indent):
    content = json.dumps(SHAPES[name], indent=indent).encode()
    for found in (read_content(content, "news", settings()), open_stream(io.BytesIO(content), settings())):
        assert [row.text for row in found.rows] == TEXTS


def settings(**values):
    return UnlabelledSettings(source="news", **values)


@pytest.mark.parametrize("content", [json.dumps(TEXTS), json.dumps(TEXTS, indent=1)])
def test_a_list_of_texts_is_scored_and_has_no_labels(read, content):
    assert [row.text for row in read_content(content.encode(), "news", settings()).rows] == TEXTS
    with pytest.raises(InputError, match=r"has no label column, .*\(it was read as list of texts\)"):
        read(content)


def test_objects_one_after_the_other_over_several_lines_are_rows(read):
    ingestion = read("\n".join(json.dumps(each, indent=2) for each in OBJECTS))
    assert (ingestion.kind, ingestion.snapshot_id) == ("json objects", SNAPSHOT)


def test_one_object_in_a_line_is_one_headline_whatever_it_holds(read):
    entities = [{"title": "Castell Group", "label": "negative"}, {"title": "Orlo and sons", "label": "negative"}]
    ingestion = read(json.dumps({"text": "Profit rose", "label": "positive", "entities": entities}))
    assert (ingestion.kind, list(ingestion.accepted["text"])) == ("json lines", ["Profit rose"])


def test_a_key_is_a_column_that_may_hold_the_headline(read):
    content = json.dumps({text: {"label": label, "n": 1} for text, label in ROWS})
    with pytest.raises(InputError, match=r"'key' may hold the text \(it was read as objects by key\)$"):
        read(content)
    assert read(content, text_column="key").snapshot_id == SNAPSHOT


UNREAD = {
    "is an empty JSON object, which is not read: write it as JSON lines": {},
    "is an empty JSON array, which is not read: write it as JSON lines": [],
    "several lists of headlines, list in 'a' and list in 'b', whose columns differ: save": {
        "a": OBJECTS,
        "b": [{"headline": text, "mood": 1, "sentiment": label} for text, label in ROWS],
    },
    r"no text column and no label column, its columns are \['a'\].*\(it was read as list in 'x.y'\)": {
        "x": {"y": [{"a": 1}]}
    },
    r"no label column, its columns are \['key', 'text', 'note'\].*\(it was read as objects by key\)": {
        "7": {"text": "Profit rose", "note": 1},
        "8": {"text": "Sales fell", "note": 2},
    },
    r"no label column, its columns are \['text', 'n'\].*\(it was read as columns\)": {"text": TEXTS, "n": [1, 2, 3]},
}


@pytest.mark.parametrize("message", UNREAD)
def test_a_shape_that_is_not_read_is_named_with_a_remedy(read, message):
    with pytest.raises(InputError, match=message) as caught:
        read(json.dumps(UNREAD[message]))
    assert "\n" not in str(caught.value)


def test_a_document_with_more_values_than_are_held_is_refused(read, monkeypatch):
    monkeypatch.setattr("ingestion.json_text.MOST_VALUES", 5)
    with pytest.raises(InputError, match=r"one JSON document with over .* values, too many to hold at once: write"):
        read(json.dumps({"data": OBJECTS}))


def test_lines_and_json_lines_stay_what_they_are(read):
    for line in ('{"Fed" holds rate', '["Profit" rose] says unit', "[1] Profit rose", '{"text" is a word'):
        found = read_content(f"{line}\nSales fell\n".encode(), "news", settings(format="lines"))
        assert [row.text for row in found.rows] == [line, "Sales fell"]
    lines = "\n".join(json.dumps({"data": each}) for each in OBJECTS)
    ingestion = read(lines)
    assert (ingestion.kind, ingestion.columns.text, ingestion.snapshot_id) == ("json lines", "data.text", SNAPSHOT)


def test_halves_of_surrogate_pairs_cost_their_own_row(read):
    ingestion = read(
        '{"data": [{"text": "\\ud83d", "label": "neutral"}, ' + json.dumps(OBJECTS)[1:-1] + "]}", max_rejected=1
    )
    assert (ingestion.snapshot_id, list(ingestion.rejected["raw"])) == (
        SNAPSHOT,
        ['{"text": "\\ud83d", "label": "neutral"}'],
    )


def test_half_of_a_surrogate_pair_in_a_key_costs_nothing(read):
    ingestion = read(json.dumps([{**each, "\ud800": "more"} for each in OBJECTS]))
    assert ingestion.snapshot_id == SNAPSHOT
    assert [json.loads(extra) for extra in ingestion.rows["extra"]] == [{"\\ud800": "more"}] * 3


@pytest.mark.parametrize("odd", [None, "Profit rose"])
def test_an_element_of_a_list_that_is_no_object_costs_its_own_row(read, odd):
    ingestion = read(json.dumps({"train": OBJECTS[:2], "test": [odd, OBJECTS[2]]}), max_rejected=1)
    assert (ingestion.snapshot_id, ingestion.rows_read, len(ingestion.rejected)) == (SNAPSHOT, 4, 1)
