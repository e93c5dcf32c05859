"""What tests of several rooms share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fpb_folder() -> Path:
    """The folder with the real FinancialPhraseBank, whose licence keeps it out of the project."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "fpb"
    folder = Path(os.environ.get("FINTONE_TEST_FPB", beside))
    if not (folder / "FinancialPhraseBank-v1.0.zip").is_file():
        pytest.skip("needs FinancialPhraseBank: set FINTONE_TEST_FPB to the folder with FinancialPhraseBank-v1.0.zip")
    return folder
