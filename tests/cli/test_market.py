"""`fintone market` and its flow, on answers that are in the warehouse already."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.market import market
from market.demo import TICKERS, make_headlines, make_prices
from schemas.market import MarketSettings
from schemas.plan import StudyPlan
from storage.query import query
from storage.warehouse import writing
from tests.asking import ask
from tests.cli.pseudo_terminal import run_in_terminal
from tests.server_record import ServerRecord

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]

ANSWERS = """
UPDATE sources SET ingested_at = TIMESTAMP '2023-06-30';
INSERT INTO scorings BY NAME SELECT 'scoring' AS scoring_id, 'n' AS source, 'n' AS location, $cell AS cell_id,
    0.1 AS temperature, 'd' AS decoding_id, 0 AS rows_read, 0 AS rows_rejected, 0 AS headlines_scored,
    0 AS headlines_known, 'label' AS unparsed, TIMESTAMP '2025-01-01' AS started_at;
INSERT INTO ledger.scores BY NAME SELECT text AS text_id, $cell AS cell_id, 0.1 AS temperature, 'd' AS decoding_id,
    text,    (label = 'negative')::DOUBLE AS p_negative, (label = 'neutral')::DOUBLE AS p_neutral,
    (label = 'positive')::DOUBLE AS p_positive, 0 AS p_unparsed, TIMESTAMP '2025-01-01' AS scored_at FROM incoming;
INSERT INTO ledger.scored_rows BY NAME SELECT 'scoring' AS scoring_id, row_number() OVER () AS row_number,
    text AS text_id, published_at, instrument, false AS in_sample FROM incoming;
"""


@pytest.fixture
def cell(home: Path, trained: tuple[Path, str, StudyPlan]) -> str:
    """A cell that was trained until June 2023 and answered the demo headlines correctly; their prices are in a file."""
    shutil.copytree(trained[0], home)
    headlines = make_headlines(1)
    with writing(home / "warehouse.duckdb") as connection:
        connection.register("incoming", headlines)
        for statement in ANSWERS.strip().split(";\n"):
            connection.execute(statement, {"cell": trained[1]} if "$cell" in statement else {})
    make_prices(headlines, 0.01, 1).to_csv("prices.csv", index=False)
    return trained[1]


def test_the_planted_effect_is_reported_and_can_be_queried(fintone: Run, home: Path, cell: str) -> None:
    code, out, error = fintone("market", "--prices", "prices.csv", "--model", cell[:6])
    text = " ".join(out.split())
    assert code == 0
    assert text.startswith("verdict after good news returns are higher (8 of 8 tests of the panel and the mean")
    assert re.search(r"all instruments, each day: [^%]+% .*? corrected, [\d,]+ instrument-days", text)
    assert re.search(r"their mean: [^%]+% .*? corrected, [\d,]+ days", text)
    assert "by fifths of the instrument-days" in text
    assert "3 of 3 instruments show it by themselves: AUR, BEL, COR" in text
    assert "headlines with a date count: they are later than 2023-06-30" in error
    assert re.search(r"left out: [\d,]+ that are not later$", error, flags=re.MULTILINE)
    suggested = out.strip().splitlines()[-1].strip()
    assert suggested.startswith('fintone sql "')
    rows = query(home / "warehouse.duckdb", suggested.removeprefix('fintone sql "').rstrip('"')).rows
    assert len(rows) == 2 * 6 * (2 + len(TICKERS))


@pytest.mark.slow
def test_the_result_is_styled_on_a_colour_terminal(home: Path, cell: str) -> None:
    command = [str(Path(sys.executable).with_name("fintone")), "market", "--prices", "prices.csv", "--model", cell]
    shown, _ = run_in_terminal(command, {"FINTONE_HOME": str(home)})
    assert shown.startswith("\x1b[1mverdict")
    assert r"\x1b" not in shown


@pytest.mark.slow
def test_the_report_shows_the_latest_measurement_of_its_cell(fintone: Run, home: Path, cell: str) -> None:
    fintone("market", "--prices", "prices.csv", "--model", cell)
    with writing(home / "warehouse.duckdb") as connection:  # as with few sessions
        connection.execute("UPDATE ledger.market_quantiles SET low = NULL, high = NULL WHERE quantile = 1")
    assert fintone("report")[0] == 0
    [page] = home.glob("reports/*/index.html")
    text = page.read_text(encoding="utf-8")
    assert "after good news returns are higher (8 of 8 tests" in text
    assert text.count('<th scope="row">COR</th>') == 4
    assert (page.parent / "charts" / "market_events.svg").exists()


def test_json_has_every_figure(fintone: Run, cell: str) -> None:
    code, out, _ = fintone("market", "--prices", "prices.csv", "--model", cell, "--horizon", "3", "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert {row["horizon"] for row in document["market_reaction"]} == {3}
    assert len(document["market_quantiles"]) == 5
    assert {row["direction"] for row in document["market_events"]} == {"positive", "negative"}


def test_prices_without_an_effect_give_no_sign_of_one(fintone: Run, cell: str) -> None:
    make_prices(make_headlines(1), 0.0, 1).to_csv("prices.csv", index=False)
    code, out, _ = fintone("market", "--prices", "prices.csv", "--model", cell)
    assert (code, " ".join(out.split())[:52]) == (0, "verdict no sign that returns follow the sentiment, i")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prices", "nowhere.csv"), "prices 'nowhere.csv' does not exist in "),
        (("--prices", "prices.csv"), "champion: no cell has been promoted yet"),
        (("--prices", "prices.csv", "--horizon", "soon"), "horizons: 'soon': give sessions, as in 1d,5d"),
        (("--prices", "prices.csv", "--timezone", "Nowhere"), "timezone: 'Nowhere' is not a time zone"),
        (
            ("--prices", "prices.csv", "--output", "prices.csv"),
            "output prices.csv: would overwrite or change the source",
        ),
    ],
)
@pytest.mark.usefixtures("cell")
def test_wrong_input_is_reported_in_one_line(refuse: Refuse, arguments: tuple[str, ...], message: str) -> None:
    assert message in refuse("market", *arguments)


@pytest.mark.soak
def test_the_documented_demo_finds_the_planted_effect(home: Path) -> None:
    root, folder = Path(__file__).parents[2], Path(sys.executable).parent
    text = (root / "docs" / "time.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ {4}((?:python|fintone) .*demo.*)$", text, flags=re.MULTILINE)
    assert len(lines) == 3
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(root)}
    for line in lines:
        subprocess.run(
            ["bash", "-c", line.replace("CELL", "champion")], env=environment, check=True, capture_output=True
        )
    sql = (
        "SELECT low, high, p_holm FROM market_reaction WHERE scope = 'panel' AND horizon = 1 AND measure = 'sentiment'"
    )
    [(low, high, p_holm)] = ask(home, sql)
    # Within twice the 95 % interval: that misses in 1 of 20 markets, and answers depend on a processor's rounding.
    assert abs((low + high) / 2 - 0.01) < high - low
    assert p_holm < 0.001


def test_the_flow_measures_and_stores_its_figures(home: Path, cell: str, recorded: ServerRecord) -> None:
    measured = market(MarketSettings(prices="prices.csv", model=cell))
    [table] = [json.loads(artifact.data) for artifact in recorded.artifacts("market-reaction")]
    assert list(table[0]) == ["of", "return over", "measure", "estimate", "95 %", "p", "measured on"]
    first = {row["measure"]: row for row in table if row["of"] == "all instruments, each day"}
    assert re.fullmatch(r"[+-]\d\.\d\d%", first["coefficient"]["estimate"])
    assert re.fullmatch(r"-?\d\.\d{3} to -?\d\.\d{3}", first["rank correlation"]["95 %"])
    assert re.fullmatch(r"[\d,]+ instrument-days", first["coefficient"]["measured on"])
    assert {row["p"] for row in first.values()} == {"<.001"}
    found = ask(home, "SELECT DISTINCT market_id FROM market_reaction")
    assert found == [(measured.market_id,)]


def test_headlines_of_a_fold_count_if_they_are_later_than_its_own_training(home: Path, cell: str) -> None:
    """June counts for a window whose model was trained until May, and not for the next one, trained until July."""
    with writing(home / "warehouse.duckdb") as connection:
        [(split, ids)] = connection.execute(
            "SELECT split_id, list(headline_id ORDER BY headline_id) FROM splits WHERE part = 'test' GROUP BY ALL"
        ).fetchall()
        train_one, train_two, first, second = ids[:4]
        times = {train_one: "2024-05-31", train_two: "2024-07-31", first: "2024-06-15", second: "2024-06-15"}
        for headline, time in times.items():
            connection.execute("UPDATE headlines SET published_at = ? WHERE headline_id = ?", [time, headline])
        for fold, (train, test) in enumerate(((train_one, first), (train_two, second)), start=1):
            connection.execute("INSERT INTO split_folds VALUES (?, ?, ?)", [split, fold, f"window {fold}"])
            for headline, part in ((train, "train"), (test, "test")):
                connection.execute("INSERT INTO splits VALUES (?, 'a', ?, ?)", [f"window {fold}", headline, part])
    rows = (
        "SELECT headline_id, bool_and(counts) FROM dated_answers JOIN headlines USING (text) WHERE origin = 'test' AND"
        f" cell_id = '{cell}' AND headline_id IN ('{first}', '{second}') GROUP BY ALL"
    )
    assert dict(ask(home, rows)) == {first: True, second: False}
