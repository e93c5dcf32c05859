"""The frames accept valid rows and refuse the rest."""

import pandas as pd
import pytest
from pandera.errors import SchemaError, SchemaErrors

from schemas.frames import CandidateFrame, HeadlineFrame, RejectedFrame

IDS = dict.fromkeys(["headline_id", "text_id", "masked_id", "group_id"], "0" * 16)
HEADLINE = {
    **IDS,
    "text": "Profit rose",
    "label": "positive",
    "copies": 1,
    "agreement": None,
    "context": None,
    "instrument": None,
}
REJECTED = {"source": "news.csv", "row_number": 1, "reason": "empty text", "raw": ""}


def frame_of(*rows):
    frame = pd.DataFrame(list(rows)).astype({"context": "str", "instrument": "str"} if "context" in rows[0] else {})
    return frame.astype({"agreement": "Int64"}) if "agreement" in frame else frame


def test_a_headline_passes_unchanged():
    frame = frame_of(HEADLINE, HEADLINE | {"headline_id": "1" * 16, "agreement": 66})
    pd.testing.assert_frame_equal(HeadlineFrame.validate(frame), frame)


@pytest.mark.parametrize(
    "wrong",
    [{"headline_id": "short"}, {"group_id": ""}, {"text": ""}, {"label": "bullish"}, {"copies": 0}, {"agreement": 51}],
)
def test_what_is_no_headline_is_refused(wrong):
    with pytest.raises((SchemaError, SchemaErrors)):
        HeadlineFrame.validate(frame_of(HEADLINE | wrong))
    with pytest.raises((SchemaError, SchemaErrors)):
        HeadlineFrame.validate(frame_of(HEADLINE | {"more": 1}))


def test_a_column_of_numbers_holds_no_text():
    with pytest.raises(SchemaError, match="expected series 'raw' to have type"):
        RejectedFrame.validate(frame_of(REJECTED | {"raw": 5}))


def test_two_headlines_never_share_an_id():
    with pytest.raises(SchemaError):
        HeadlineFrame.validate(frame_of(HEADLINE, HEADLINE))


def test_a_rejected_row_needs_a_reason():
    RejectedFrame.validate(pd.DataFrame([REJECTED]))
    with pytest.raises(SchemaError):
        RejectedFrame.validate(pd.DataFrame([REJECTED | {"reason": ""}]))


def candidates(*rows):
    kinds = {"text": "str", "label": "str", "raw": "str", "defect": "str", "agreement": "Int64"}
    columns = ["row_number", *kinds]
    more = ("part", "published_at", "instrument", "publisher", "context", "extra")
    return pd.DataFrame(rows, columns=columns).astype(kinds).assign(**dict.fromkeys(more, pd.Series(None, dtype="str")))


def test_a_candidate_fails_once_for_each_wrong_value():
    frame = candidates(
        (1, "Profit rose", "positive", "a", None, None),
        (2, "", "bullish", "b", None, None),
        (3, None, None, "c", "number of fields is 1, not 2", None),
    )
    with pytest.raises(SchemaErrors) as caught:
        CandidateFrame.validate(frame, lazy=True)
    failures = caught.value.failure_cases
    assert list(zip(failures["index"], failures["column"], strict=True)) == [(1, "text"), (1, "label"), (2, "defect")]


def test_an_instrument_has_at_most_500_characters():
    frame = candidates((1, "Profit rose", "positive", "a", None, None))
    CandidateFrame.validate(frame.assign(instrument="x" * 500))
    with pytest.raises(SchemaError, match="instrument"):
        CandidateFrame.validate(frame.assign(instrument="x" * 501))


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (" \t", "empty text"),
        ("\u200b\u2060", "empty text"),
        ("Profit\x00rose", "control character in the text"),
        ("\x1b[31mProfit", "control character in the text"),
        ("x" * 10_001, "text of more than 10,000 characters"),
    ],
)
def test_a_text_that_is_no_headline_is_refused_with_the_reason(text, check):
    with pytest.raises(SchemaErrors) as caught:
        CandidateFrame.validate(candidates((1, text, "neutral", "raw", None, None)), lazy=True)
    assert list(caught.value.failure_cases["check"]) == [check]


@pytest.mark.parametrize(
    "text", ["\U0001f680", "=SUM(A1)", "a\tb\r\nc", "\u202eabc", "x" * 10_000, "Sepp\xe4l\xe4\x85"]
)
def test_an_unusual_but_valid_text_passes(text):
    CandidateFrame.validate(candidates((1, text, "neutral", "raw", None, 75)), lazy=True)
