"""`fintone report --open` opens the page that it wrote, and says so where there is no browser."""

import sys
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from cli.main import main


def report(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fintone", "report", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_open_opens_the_page_or_says_that_there_is_no_browser(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("FINTONE_HOME", str(trained[0]))
    monkeypatch.setattr("operations.report.write_report", lambda *_: tmp_path / "index.html")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert report(monkeypatch, "--open") == 0
    assert opened.read_text().strip() == (tmp_path / "index.html").as_uri()
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    assert report(monkeypatch, "--open") == 0
    assert "browser: none could open" in capsys.readouterr().err


def test_a_confidence_out_of_range_is_bad_usage(
    trained: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINTONE_HOME", str(trained[0]))
    assert report(monkeypatch, "--act-at", "1.5") == 2
    assert "confidence 1.5: must be from 0 to 0.99" in capsys.readouterr().err
