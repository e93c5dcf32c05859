"""Equal texts become one headline, and contradictory labels are resolved as the setting says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

ROWS = [
    "Profit rose,positive",
    "Profit rose,positive",
    "Profit  rose,neutral",
    "AGM,neutral",
    "Sales,positive",
    "Sales,negative",
]
CONTENT = "\n".join(["text,label", *ROWS])


def select(frame, *columns):
    return list(frame[list(columns)].itertuples(index=False, name=None))


def resolutions(ingestion):
    return select(ingestion.quarantined, "row_number", "label", "resolution")


def test_dropped_conflicts_leave_no_headline(read):
    ingestion = read(CONTENT, conflicts="drop")
    assert select(ingestion.accepted, "text", "copies") == [("AGM", 1)]
    assert select(ingestion.rejected, "row_number", "reason") == [
        (1, "the same text is also labelled neutral"),
        (2, "the same text is also labelled neutral"),
        (3, "the same text is also labelled positive"),
        (5, "the same text is also labelled negative"),
        (6, "the same text is also labelled positive"),
    ]
    assert {resolution for _, _, resolution in resolutions(ingestion)} == {"dropped"}


def test_the_majority_wins_and_a_tie_is_dropped(read):
    ingestion = read(CONTENT, conflicts="majority")
    assert select(ingestion.accepted, "text", "label", "copies") == [
        ("Profit rose", "positive", 2),
        ("AGM", "neutral", 1),
    ]
    assert select(ingestion.rejected, "row_number", "reason") == [
        (3, "2 of 3 rows with this text are labelled positive"),
        (5, "a tie among the rows with this text: 1 negative, 1 positive"),
        (6, "a tie among the rows with this text: 1 negative, 1 positive"),
    ]
    assert resolutions(ingestion) == [
        (1, "positive", "majority"),
        (2, "positive", "majority"),
        (3, "neutral", "outvoted"),
        (5, "positive", "dropped"),
        (6, "negative", "dropped"),
    ]


def test_the_largest_of_three_labels_is_no_majority(read):
    rows = "".join(f"Profit rose,{label}\n" for label in ("positive", "positive", "neutral", "negative"))
    reasons = read(f"text,label\nAGM,neutral\n{rows}", conflicts="majority").rejected["reason"]
    assert set(reasons) == {"no majority among the rows with this text: 1 negative, 1 neutral, 2 positive"}


def test_kept_conflicts_are_one_headline_for_each_label_in_one_group(read):
    ingestion = read(CONTENT, conflicts="keep")
    assert select(ingestion.accepted, "text", "label", "copies") == [
        ("Profit rose", "positive", 2),
        ("Profit  rose", "neutral", 1),
        ("AGM", "neutral", 1),
        ("Sales", "positive", 1),
        ("Sales", "negative", 1),
    ]
    assert ingestion.rejected.empty
    assert {resolution for _, _, resolution in resolutions(ingestion)} == {"kept"}
    groups = ingestion.accepted["group_id"].tolist()
    assert groups[0] == groups[1]
    assert groups[3] == groups[4]
    assert len(set(groups)) == 3


@pytest.mark.parametrize("conflicts", ["drop", "majority", "keep"])
def test_of_copies_the_normalised_text_is_kept_whatever_their_order(read, conflicts):
    texts = ["Nestle\u0301 rose", "Nestl\u00e9\u00a0rose", "Nestl\u00e9 rose"]
    for order in (texts, texts[::-1]):
        rows = "".join(f"{text},positive\n" for text in order)
        assert select(read(f"text,label\n{rows}", conflicts=conflicts).accepted, "text", "copies") == [(texts[2], 3)]


rows_with_conflicts = st.lists(
    st.tuples(st.sampled_from(["A", " A", "B 1", "B 2", "b 3", "C"]), st.sampled_from(["positive", "neutral", "bad"])),
    min_size=1,
    max_size=15,
)


@pytest.mark.slow
@settings(max_examples=examples(60), deadline=None)
@given(rows=rows_with_conflicts, conflicts=st.sampled_from(["drop", "majority", "keep"]), data=st.data())
def test_order_changes_neither_snapshot_nor_groups_nor_what_becomes_of_a_row(read, rows, conflicts, data):
    rows = [("The annual general meeting is in May", "neutral"), *rows]
    one, other = (
        read("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in order), conflicts=conflicts)
        for order in (rows, data.draw(st.permutations(rows)))
    )
    assert one.snapshot_id == other.snapshot_id
    columns = ("headline_id", "group_id", "text", "label", "copies")
    assert sorted(select(one.accepted, *columns)) == sorted(select(other.accepted, *columns))
    assert sorted(select(one.rejected, "reason", "raw")) == sorted(select(other.rejected, "reason", "raw"))
    refused = one.quarantined["resolution"].isin(["dropped", "outvoted"]).sum()
    assert refused == (~one.rejected["reason"].str.contains("unknown label")).sum()
    assert one.rows_read == len(rows) == one.accepted["copies"].sum() + len(one.rejected)
