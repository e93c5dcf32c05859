"""Reports with one chart: all of them take 2 s, and most tests look at none."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reporting import figures
from schemas.report import StudyReport


@contextmanager
def drawing_few_charts() -> Iterator[None]:
    """Reports that are written in the block have the overview as their only chart."""
    build = figures.build_charts

    def build_few(report: StudyReport) -> dict[str, list[figures.Chart]]:
        return {section: charts if section == "overview" else [] for section, charts in build(report).items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "build_charts", build_few)
        yield
