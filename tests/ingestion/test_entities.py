"""Headlines with a label for each of several entities: one headline for each entity."""

import json

import pandas as pd
import pytest

from ingestion.columns import MissingColumnError
from ingestion.entities import read_entities
from ingestion.refusals import TooManyRejectedError
from operations.refusals import check_ingestion
from schemas.source import DataSettings

TEXTS = ["Northwind gains as Harbour falls", "Castell names new auditor", "Orlo and Castell part ways"]
ENTITIES = [
    {"Northwind": "positive", "Harbour": "negative"},
    {"Castell": "neutral"},
    {"Orlo": "up", "Castell": "negative"},
]


def as_csv(labels):
    return pd.DataFrame({"Title": TEXTS, "Decisions": labels}).to_csv(index=False)


def check(ingestion):
    rows = ingestion.rows.merge(ingestion.accepted.drop(columns="instrument"), on="headline_id")
    found = rows[["row_number", "instrument", "label"]].to_numpy().tolist()
    assert found == [
        [1, "Northwind", "positive"],
        [1, "Harbour", "negative"],
        [2, "Castell", "neutral"],
        [3, "Castell", "negative"],
    ]
    assert list(ingestion.rejected["row_number"]) == [3]
    assert list(ingestion.rejected["reason"]) == ["unknown label 'up'"]
    assert (ingestion.rows_read, ingestion.rows_added) == (3, 2)
    assert ingestion.columns.label_shape == "a label for each entity"
    assert ingestion.accepted["group_id"].nunique() == 3


@pytest.mark.parametrize("spell", [json.dumps, str])
def test_a_row_becomes_a_headline_for_each_entity_and_an_unknown_label_rejects_only_its_entity(read, spell):
    check(read(as_csv(list(map(spell, ENTITIES))), max_rejected=1))


def test_json_objects_are_read_in_the_same_way(read):
    rows = [{"title": text, "decisions": each} for text, each in zip(TEXTS, ENTITIES, strict=True)]
    check(read(json.dumps(rows), max_rejected=1))


def test_the_label_map_defines_what_words_mean(read):
    words = {"up": "positive", "positive": "positive", "negative": "negative", "neutral": None}
    ingestion = read(as_csv(list(map(json.dumps, ENTITIES))), label_map=words)
    assert len(ingestion.accepted) == 4
    assert list(ingestion.left_out["row_number"]) == [2]


def test_records_with_the_same_keys_are_read_by_path(read):
    rows = [
        {"text": text, "sentiment": {"overall": word}}
        for text, word in zip(TEXTS, ("positive", "negative", "neutral"), strict=True)
    ]
    ingestion = read(json.dumps(rows))
    assert ingestion.columns.label == "sentiment.overall"
    assert ingestion.rows["instrument"].isna().all()


def test_most_values_that_are_not_blank_must_be_objects(read):
    found = read(as_csv([json.dumps(ENTITIES[0]), "", ""]), max_rejected=1)
    assert (list(found.accepted["label"]), found.columns.label) == (["positive", "negative"], "Decisions")
    with pytest.raises(MissingColumnError, match="has no label column"):
        read(as_csv([json.dumps(ENTITIES[0]), "to be read", "to be read"]))


@pytest.mark.parametrize(
    "cell", ["{", "{}", "positive", '{"a": [1]}', "{'a': open('x')}", "{1, 2}", '{"": "x"}', 3, None]
)
def test_a_cell_that_is_no_object_of_words_has_no_entities(cell):
    assert read_entities(cell) == {}


def test_the_share_of_rejected_rows_is_of_those_that_entities_became(read):
    cells = [{"A": "mixed", "B": "mixed", "C": "neutral", "D": "positive"}, {"A": "mixed", "D": "negative", "E": "huh"}]
    content = as_csv([json.dumps(cell) for cell in (cells[0], cells[0], cells[1])])
    ingestion = read(content, label_map={"mixed": None}, max_rejected=1)
    counts = (ingestion.rows_read, ingestion.rows_added, len(ingestion.left_out), len(ingestion.rejected))
    assert counts == (3, 8, 5, 1)
    check_ingestion(ingestion, DataSettings(source="x", max_rejected=1 / 6))
    with pytest.raises(TooManyRejectedError, match=r"1 of 6 rows rejected, a share of 0\.167"):
        check_ingestion(ingestion, DataSettings(source="x", max_rejected=0.16))


def test_half_a_surrogate_pair_in_the_name_of_an_entity_costs_its_row(read):
    lines = [
        '{"title": "Northwind gains", "decisions": {"North\\ud800": "positive"}}',
        *(json.dumps({"title": text, "decisions": ENTITIES[1]}) for text in TEXTS),
    ]
    ingestion = read("\n".join(lines), max_rejected=1)
    assert (len(ingestion.accepted), list(ingestion.rejected["row_number"])) == (3, [1])
