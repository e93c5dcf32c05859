"""The message of a library's error is shortened to one line."""

import pytest

from schemas.reasons import describe_reason, first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("bad magic\nat byte 3"), "bad magic"),
        (ValueError("cannot load:\n  no such tensor.\nmore"), "cannot load: no such tensor"),
        (KeyError("weight"), "KeyError 'weight'"),
        (ValueError(" \n"), "ValueError"),
    ],
)
def test_an_error_is_described_by_its_first_line(error: Exception, line: str) -> None:
    assert (first_line(error), describe_reason(error)) == (line, line)


def test_a_reason_is_cut_and_holds_no_secret() -> None:
    reason = describe_reason(ValueError(f"GET https://user:secret@host/{'x' * 200}"))
    assert "secret" not in reason
    assert len(reason) == 163
    assert reason.endswith("x...")
