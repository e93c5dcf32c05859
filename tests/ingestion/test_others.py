"""The other columns of a source: every format gives them by name, in the types that it has."""

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ingestion.others import name_others, plain_cell, take_others
from ingestion.sources import Reading, find_place, iterate_rows
from schemas.columns import join_columns
from schemas.source import DataSettings, UnlabelledSettings

TEXTS = ("Profit rose again at Orlo .", "Costs fell again at Orlo .")


def read(path: Path, **settings: Any) -> tuple[list[Any], tuple[str, ...]]:
    unlabelled, reading = UnlabelledSettings(source=str(path), **settings), Reading()
    rows = list(iterate_rows(find_place(unlabelled), unlabelled, reading))
    return [row.others for row in rows], join_columns(reading.columns).kept


def test_a_csv_gives_its_fields(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,headline,id,\n" + "".join(f"{n},{text},x,\n" for n, text in enumerate(TEXTS)))
    others, names = read(tmp_path / "a.csv")
    assert names == ("id", "id_2", "column_4")
    assert others[1] == {"id": "1", "id_2": "x", "column_4": ""}


def test_a_csv_without_a_header_gives_them_by_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("".join(f"{n},{text},ORL\n" for n, text in enumerate(TEXTS)))
    others, names = read(tmp_path / "a.csv", text_column="2")
    assert names == ("column_1", "column_3")
    assert others[0] == {"column_1": "0", "column_3": "ORL"}


def test_json_and_parquet_give_values_of_their_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"headline": TEXTS, "id": [7, 8], "price": [1.5, None], "at": [pd.Timestamp("2026-01-02 09:00")] * 2}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    expected = {"id": 8, "price": None, "at": "2026-01-02T09:00:00"}
    assert read(tmp_path / "a.parquet") == ([{**expected, "id": 7, "price": 1.5}, expected], ("id", "price", "at"))
    buffer = io.StringIO()
    frame.to_json(buffer, orient="records", lines=True, date_format="iso", date_unit="s")
    (tmp_path / "a.jsonl").write_text(buffer.getvalue())
    others, names = read(tmp_path / "a.jsonl")
    assert (others[0]["id"], others[1]["price"], names) == (7, None, ("id", "price", "at"))


def test_what_is_nested_is_given_as_json(tmp_path: Path) -> None:
    rows = [{"article": {"title": text}, "id": number, "tags": ["a"]} for number, text in enumerate(TEXTS)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    others, names = read(tmp_path / "a.json", text_column="article.title")
    assert names == ("article", "id", "tags")
    assert others[1] == {"article": json.dumps(rows[1]["article"]), "id": 1, "tags": '["a"]'}


def test_files_of_a_folder_may_have_different_columns(tmp_path: Path) -> None:
    for name, column in (("a", "id"), ("b", "ticker")):
        (tmp_path / f"{name}.csv").write_text(f"{column},headline\n" + "".join(f"{name},{text}\n" for text in TEXTS))
    others, names = read(tmp_path)
    assert names == ("id", "ticker")
    assert others[0] == {"id": "a"}
    assert others[2] == {"ticker": "b"}


def test_a_labelled_source_keeps_its_other_columns_and_leaves_nested_values_as_they_are(tmp_path: Path) -> None:
    rows = [{"id": 1, "headline": text, "label": "positive", "source": {"name": "Wire"}} for text in TEXTS]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    settings = DataSettings(source=str(tmp_path / "a.json"))
    others = [row.others for row in iterate_rows(find_place(settings), settings, Reading())]
    assert others == [{"id": 1, "source": {"name": "Wire"}}] * 2


def test_each_name_is_given_once() -> None:
    names = name_others(["Id", "id", " ", "text", "id_2"], {3})
    assert names == {0: "Id", 1: "id_2", 2: "column_3", 4: "id_2_2"}
    assert take_others([1, 2, None, "x", 4], names) == {"Id": 1, "id_2": 2, "column_3": None, "id_2_2": 4}


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (float("nan"), None),
        (date(2026, 1, 2), "2026-01-02"),
        (["a", 1], '["a", 1]'),
        ({"a": date(2026, 1, 2)}, '{"a": "2026-01-02"}'),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_cell_becomes_a_value_that_json_can_hold(cell: Any, plain: Any) -> None:
    assert plain_cell(cell) == plain
