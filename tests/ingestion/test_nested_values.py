"""Values within nested cells are found by their paths, in every format that has such cells."""

import io
import json
from functools import reduce

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import InputError

ROWS = [("Profit rose", "positive"), ('Costs, "as ever", rose', "negative"), ("AGM on 5 May", "neutral")]
SNAPSHOT = "cc1be82df9713dc5"


def as_parquet(objects):
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(objects), file)
    return file.getvalue()


def as_arrow(objects):
    file, table = io.BytesIO(), pa.Table.from_pylist(objects)
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


WRITERS = {
    "json": lambda objects: json.dumps(objects).encode(),
    "json lines": lambda objects: "\n".join(map(json.dumps, objects)).encode(),
    "parquet": as_parquet,
    "arrow": as_arrow,
}
every_format = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


@every_format
def test_an_unambiguous_path_is_found(read, write):
    objects = [
        {"id": 1, "article": {"headline": text, "source": "desk"}, "sentiment": {"polarity": label, "score": 0.3}}
        for text, label in ROWS
    ]
    ingestion = read(write(objects))
    assert ingestion.snapshot_id == SNAPSHOT
    assert (ingestion.columns.text, ingestion.columns.label) == ("article.headline", "sentiment.polarity")
    assert not ingestion.columns.warn()


@every_format
def test_two_paths_that_fit_equally_must_be_chosen_from(read, write):
    objects = [
        {"wire": {"text": text}, "desk": {"text": f"{text} again"}, "mood": {"verdict": label}} for text, label in ROWS
    ]
    message = "'wire.text' or 'desk.text' may hold the text; 'mood.verdict' may hold the label"
    with pytest.raises(InputError, match=message):
        read(write(objects))
    assert read(write(objects), text_column="wire.text", label_column="mood.verdict").snapshot_id == SNAPSHOT


@every_format
def test_a_list_counts_as_its_one_value_and_its_elements_have_numbers(read, write):
    objects = [{"text": text, "info": [{"label": label}, {"label": label}]} for text, label in ROWS]
    assert read(write(objects)).columns.label == "info.label"
    objects[0]["info"][1]["label"] = "neutral"
    ingestion = read(write(objects), max_rejected=1)
    assert list(ingestion.rejected["reason"]) == ["several values in 'info.label'"]
    assert read(write(objects), label_column="info.0.label").snapshot_id == SNAPSHOT


def test_lists_that_differ_are_reported_with_the_remedy(read):
    objects = [{"text": text, "votes": [{"label": label}, {"label": "neutral"}]} for text, label in ROWS]
    with pytest.raises(InputError, match=r"no label column.*lists differ in 'votes.label': name one element by its pl"):
        read(json.dumps(objects))


def test_a_column_at_the_top_wins_over_a_path(read):
    objects = [{"quoted": {"text": "Other news here"}, "text": text, "label": label} for text, label in ROWS]
    ingestion = read(json.dumps(objects))
    assert (ingestion.columns.text, ingestion.columns.warn()) == ("text", [])


def test_a_key_with_a_dot_is_a_name(read):
    objects = [{"news.text": text, "label": label, "news": {"text": "none of it"}} for text, label in ROWS]
    assert read(json.dumps(objects), text_column="news.text").snapshot_id == SNAPSHOT


def test_naming_an_object_lists_what_is_in_it(read):
    objects = [{"text": text, "sentiment": {"polarity": label}} for text, label in ROWS]
    message = r"no label column 'sentiment', .* \['text', 'sentiment.polarity'\].*; did you mean 'sentiment.polarity'\?"
    with pytest.raises(InputError, match=message):
        read(json.dumps(objects), label_column="sentiment")


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}},
        {str(key): key for key in range(5_000)},
        reduce(lambda inner, _: [inner], range(900), 1),
    ],
    ids=["objects", "wide", "lists"],
)
def test_deep_and_wide_cells_leave_the_headlines_as_they_are(read, value):
    objects = [{"text": text, "label": label, "more": value} for text, label in ROWS]
    assert read(json.dumps(objects)).snapshot_id == SNAPSHOT
