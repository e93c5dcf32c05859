"""Every row is accepted, merged or rejected, with every reason, and ids follow from what was read."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

NASTY = """text,label
Profit rose,positive
Profit  rose ,Positive
AGM on 5 May,neutral
,
 ,no
Sales fell,bearish
one field
three,fields,neutral
"broken" quote,neutral
Costs rose,negative
Costs rose,positive
"never closed,neutral
Debt fell,positive
"""

# longer than any generated text, so that nothing contradicts it and every source has a row to accept
SOUND_ROW = ("The annual general meeting is on 5 May", "neutral")

rows_of_any_text = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["Profit rose", "Costs  rose"]),
        st.sampled_from(["positive", " NEGATIVE", "neutral", "bullish", ""]),
    ),
    min_size=1,
    max_size=12,
)


def as_csv(rows):
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerows([("text", "label"), *rows])
    return file.getvalue()


def check_accounts(ingestion):
    accepted, rejected = ingestion.accepted, ingestion.rejected
    assert len(accepted) + len(rejected) + ingestion.rows_merged == ingestion.rows_read
    assert accepted["copies"].sum() + len(rejected) == ingestion.rows_read
    assert rejected["row_number"].is_unique
    assert rejected["row_number"].is_monotonic_increasing
    assert rejected["row_number"].between(1, ingestion.rows_read).all()


def test_each_rejected_row_keeps_its_number_its_raw_text_and_every_reason(read):
    ingestion = read(NASTY)
    check_accounts(ingestion)
    assert ingestion.rows_read == 12
    assert ingestion.rows_merged == 1
    assert list(ingestion.accepted["text"]) == ["Profit rose", "AGM on 5 May", "Debt fell"]
    assert list(ingestion.accepted["copies"]) == [2, 1, 1]
    assert list(ingestion.rejected[["row_number", "reason", "raw"]].itertuples(index=False, name=None)) == [
        (4, "empty text; unknown label 'no'", " ,no"),
        (5, "unknown label 'bearish'", "Sales fell,bearish"),
        (6, "number of fields is 1, not 2", "one field"),
        (7, "number of fields is 3, not 2", "three,fields,neutral"),
        (8, "broken quoting: ',' expected after '\"'", '"broken" quote,neutral'),
        (9, "the same text is also labelled positive", "Costs rose,negative"),
        (10, "the same text is also labelled negative", "Costs rose,positive"),
        (11, "broken quoting: unexpected end of data", '"never closed,neutral'),
    ]


def test_json_lines_that_are_no_headline_are_rejected_with_the_reason(read):
    lines = [
        '{"text": "Profit rose", "label": "positive"}',
        "not json",
        "[" * 100_000,
        '{"text": null, "label": "positive"}',
        '{"label": "positive"}',
        '{"text": "Costs rose", "label": null}',
        '{"text": "\\ud800", "label": "positive"}',
    ]
    ingestion = read("\n".join(lines))
    check_accounts(ingestion)
    assert list(ingestion.rejected["raw"]) == lines[1:]
    assert list(ingestion.rejected["reason"]) == [
        "not a JSON object",
        "not a JSON object",
        "no text in 'text'",
        "no text in 'text'",
        "no label",
        "half a surrogate pair, which is not Unicode",
    ]


def test_a_line_without_at_sign_is_rejected_and_a_blank_one_is_no_row(read):
    ingestion = read("Profit rose@positive\n\nno label here\n")
    assert ingestion.rows_read == 2
    assert list(ingestion.rejected["reason"]) == ["no @ between sentence and label"]


def test_kept_duplicates_stay_in_order_with_ids_of_their_own(read):
    content = "text,label\nProfit rose,positive\nCosts rose,negative\nProfit rose,positive\nProfit rose,neutral\n"
    ingestion = read(content, duplicates="keep")
    check_accounts(ingestion)
    assert list(ingestion.accepted["text"]) == ["Profit rose", "Costs rose", "Profit rose", "Profit rose"]
    assert list(ingestion.quarantined["resolution"]) == ["kept"] * 3
    assert ingestion.accepted["headline_id"].is_unique
    assert ingestion.accepted["headline_id"][1] == read(content).accepted["headline_id"][0]


def test_composed_and_decomposed_letters_are_the_same_text_and_superscripts_are_not(read):
    ingestion = read(
        "text,label\nNestl\u00e9 rose,positive\nNestle\u0301\u00a0 rose,positive\n10\u00b2,neutral\n102,neutral\n"
    )
    assert list(ingestion.accepted["text"]) == ["Nestl\u00e9 rose", "10\u00b2", "102"]
    assert ingestion.rows_merged == 1


def test_the_snapshot_ignores_repeats_and_the_ingest_id_does_not(read):
    once = read("text,label\nProfit rose,positive\nCosts rose,negative\n")
    twice = read("text,label\nProfit rose,positive\nCosts rose,negative\nCosts rose,negative\n")
    assert once.snapshot_id == twice.snapshot_id
    assert once.ingest_id != twice.ingest_id


def test_another_label_gives_another_snapshot(read):
    assert (
        read("text,label\nProfit rose,positive\n").snapshot_id != read("text,label\nProfit rose,neutral\n").snapshot_id
    )


def test_reading_again_gives_the_same_ids_and_other_settings_give_another(read):
    content = "text,label\nProfit rose,positive\nAGM,neutral\n"
    first, second, kept = read(content), read(content), read(content, duplicates="keep")
    assert (first.ingest_id, first.snapshot_id) == (second.ingest_id, second.snapshot_id)
    assert kept.ingest_id != first.ingest_id
    assert len(first.ingest_id) == len(first.snapshot_id) == 16


@pytest.mark.slow
@settings(max_examples=examples(60), deadline=None)
@given(rows=rows_of_any_text, duplicates=st.sampled_from(["merge", "keep"]))
def test_the_accounts_hold_for_any_text_and_label(read, rows, duplicates):
    rows = [SOUND_ROW, *rows]
    ingestion = read(as_csv(rows), duplicates=duplicates)
    assert ingestion.rows_read == sum(bool(text.strip() or label) for text, label in rows)
    check_accounts(ingestion)


@pytest.mark.slow
@settings(max_examples=examples(40), deadline=None)
@given(rows=rows_of_any_text, data=st.data())
def test_rows_in_another_order_give_the_same_snapshot(read, rows, data):
    rows = [SOUND_ROW, *rows]
    ingestion, shuffled = read(as_csv(rows)), read(as_csv(data.draw(st.permutations(rows))))
    assert shuffled.snapshot_id == ingestion.snapshot_id
    assert shuffled.snapshot["headline_id"].tolist() == ingestion.snapshot["headline_id"].tolist()
    assert shuffled.rows_merged == ingestion.rows_merged
    assert len(shuffled.rejected) == len(ingestion.rejected)
