"""The text that a prompt shows before a headline: its column, and that it distinguishes equal headlines."""

import json

import pytest

from ingestion.columns import MissingColumnError
from ingestion.identity import describe_reading, ingest_id
from schemas.frames import MAX_CONTEXT
from schemas.source import DataSettings

TABLE = """headline,label,background
Trading halted,negative,A merger  is near
Trading halted,positive,"Of May
[draft]"
Trading halted,negative,A merger is near
Castell wins order,neutral,n/a
"""


def test_rows_of_one_text_in_two_contexts_are_two_headlines_of_one_group(read):
    ingestion = read(TABLE, context_column="background")
    accepted = ingestion.accepted
    contexts = accepted["context"].astype("object").where(accepted["context"].notna(), None)
    assert list(zip(accepted["text"], accepted["label"], contexts, accepted["copies"], strict=True)) == [
        ("Trading halted", "negative", "A merger is near", 2),
        ("Trading halted", "positive", "Of May [draft]", 1),
        ("Castell wins order", "neutral", None, 1),
    ]
    assert accepted["group_id"].nunique() == 2
    assert ingestion.columns.context == "background"
    assert ingestion.columns.describe().endswith("context from 'background'")
    assert ingestion.rows["extra"].isna().all()


def test_without_the_setting_no_column_is_a_context(read):
    ingestion = read(TABLE, conflicts="majority")
    assert ingestion.accepted["context"].isna().all()
    assert json.loads(ingestion.rows["extra"][0]) == {"background": "A merger  is near"}
    assert len(ingestion.rejected) == 1


def test_a_nested_context_is_found_by_its_path(read):
    rows = [{"text": f"Trading halted {word}", "label": "neutral", "found": {"text": word}} for word in ("a", "b")]
    assert list(read(json.dumps(rows), context_column="found.text").accepted["context"]) == ["a", "b"]


def test_a_column_that_is_not_there_is_named_with_the_option(read):
    with pytest.raises(MissingColumnError, match=r"has no context column 'notes'.*--context-column NAME"):
        read(TABLE, context_column="notes")


@pytest.mark.parametrize(
    ("context", "reason"),
    [("a\x1b[2Jb", "control character in the context"), ("word " * MAX_CONTEXT, "context of more than 100,000")],
)
def test_a_text_that_is_no_context_rejects_its_row(read, context, reason):
    rows = [{"text": f"Trading halted {day}", "label": "neutral", "background": "Of May"} for day in range(20)]
    rows.append({"text": "Castell wins order", "label": "positive", "background": context})
    ingestion = read(json.dumps(rows), context_column="background")
    assert [each.startswith(reason) for each in ingestion.rejected["reason"]] == [True]
    assert len(ingestion.accepted) == 20


def test_another_context_column_gives_another_ingest_id_and_reading(read):
    plain, with_context = DataSettings(source="x"), DataSettings(source="x", context_column="background")
    columns = read(TABLE, context_column="background").columns
    assert ingest_id("0", plain) != ingest_id("0", with_context)
    assert describe_reading(plain, columns) != describe_reading(with_context, columns)
