r"""Lines of text. They end in LF, CR LF or a lone CR; no other character ends one, unlike with `str.splitlines`."""

import io
from collections.abc import Iterator

LINE_ENDS = "\r\n"


def iter_lines(text: str) -> Iterator[str]:
    """Yield each line with its end."""
    return io.StringIO(text, newline="")


def first_line(text: str) -> str:
    """The first line that is not blank, without its end; empty when there is none."""
    return next((line.rstrip(LINE_ENDS) for line in iter_lines(text) if line.strip()), "")
