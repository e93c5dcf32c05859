"""The frames say what is true of headlines, and refuse the rest."""

import pandas as pd
import pytest
from pandera.errors import SchemaError, SchemaErrors

from schemas.frames import CandidateFrame, HeadlineFrame, RejectedFrame

HEADLINE = {"headline_id": "0" * 16, "text": "Profit rose", "label": "positive", "copies": 1, "row_number": 1}


def test_a_headline_passes_unchanged():
    frame = pd.DataFrame([HEADLINE])
    pd.testing.assert_frame_equal(HeadlineFrame.validate(frame), frame)


@pytest.mark.parametrize(
    "wrong",
    [{"headline_id": "short"}, {"text": ""}, {"label": "bullish"}, {"copies": 0}, {"row_number": 0}, {"more": 1}],
)
def test_what_is_no_headline_is_refused(wrong):
    with pytest.raises((SchemaError, SchemaErrors)):
        HeadlineFrame.validate(pd.DataFrame([HEADLINE | wrong]))


def test_two_headlines_never_share_an_id():
    with pytest.raises(SchemaError):
        HeadlineFrame.validate(pd.DataFrame([HEADLINE, HEADLINE]))


def test_a_rejected_row_needs_a_reason():
    RejectedFrame.validate(pd.DataFrame([{"row_number": 1, "reason": "empty text", "raw": ""}]))
    with pytest.raises(SchemaError):
        RejectedFrame.validate(pd.DataFrame([{"row_number": 1, "reason": "", "raw": ""}]))


def test_a_candidate_fails_once_for_each_thing_that_is_wrong():
    rows = [
        {"row_number": 1, "text": "Profit rose", "label": "positive", "raw": "a", "defect": None},
        {"row_number": 2, "text": "", "label": "bullish", "raw": "b", "defect": None},
        {"row_number": 3, "text": None, "label": None, "raw": "c", "defect": "number of fields is 1, not 2"},
    ]
    frame = pd.DataFrame(rows).astype({"text": "str", "label": "str", "defect": "str"})
    with pytest.raises(SchemaErrors) as caught:
        CandidateFrame.validate(frame, lazy=True)
    failures = caught.value.failure_cases
    assert list(zip(failures["index"], failures["column"], strict=True)) == [(1, "text"), (1, "label"), (2, "defect")]
