"""The report answers what a desk asks, and sets the chosen cell beside the champion, the base and the best baseline."""

import platform
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from operations.report import ConfidenceError, write_report
from schemas.promotion import Champion
from storage.champions import Decision, save_decision
from storage.query import query
from storage.warehouse import writing
from tests.reporting.conftest import CHAMPION


def read(page: Path) -> str:
    return unescape(page.read_text(encoding="utf-8"))


def ask(home: Path, sql: str) -> list[Any]:
    return query(home / "warehouse.duckdb", sql).rows


def verdict(text: str) -> str:
    [found] = re.findall(r'<p class="verdict[^>]*>(.*?)</p>', text, flags=re.DOTALL)
    return str(found)


def test_the_overview_has_every_cell_every_baseline_and_the_champion_of_another_study(rivals: Path) -> None:
    page = write_report()
    drawn = (page.parent / "charts" / "overview.svg").read_text(encoding="utf-8")
    names = [name for (name,) in ask(rivals, "SELECT DISTINCT cell_name FROM leaderboard WHERE part = 'test'")]
    assert len(names) >= 5
    assert all(f">{name}<" in drawn for name in [*names, "lr=5e-01 epochs=9"])
    assert all(re.search(rf"\d  {role}<", drawn) for role in ("chosen", "champion", "best baseline"))
    assert "T\u00a0=\u00a00.1" in drawn


def test_headlines_compare_the_chosen_cell_with_champion_base_and_best_baseline(rivals: Path, trained: Any) -> None:
    text = read(write_report())
    section = text.partition('<section id="headlines"')[2].partition("</section>")[0]
    heads = re.findall(r'<th scope="col">(.*?)</th>', section)
    assert heads[:6] == ["headline", "label", "chosen", "champion", "base", "best baseline"]
    lost, won = (ask(rivals, unescape(sql)) for sql in re.findall(r'fintone sql "(WITH answers.*?)"</code>', section))
    assert lost
    assert all(row[2] != row[1] == row[3] == "positive" for row in lost)  # the champion says nothing else
    assert all(row[2] == row[1] and row[3] == "positive" != row[1] for row in won)


def test_the_desk_is_told_accuracy_where_it_acts_mix_ups_seeds_speed_approval_and_machine(
    rivals: Path, trained: Any
) -> None:
    text = read(write_report(act_at=0.4))
    answers = dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", text))
    own = f"FROM predictions WHERE study_id = latest_study() AND cell_id = '{trained[1]}' AND part = 'test'"
    own += " AND temperature = 0.1"
    sure = "greatest(p_negative, with_unparsed(p_neutral, p_unparsed), p_positive) >= 0.4"
    right = "label = likeliest_label(p_negative, with_unparsed(p_neutral, p_unparsed), p_positive)"
    [(accuracy, coverage)] = ask(
        rivals, f"SELECT avg(({right})::INT) FILTER ({sure}), count(*) FILTER ({sure}) / count(*) {own}"
    )
    assert answers["How often is it right where we act, from a confidence of 0.4?"].startswith(f"{accuracy:.3f} [")
    assert f"on the {coverage:.1%} of the headlines" in text
    mixed_up = "label <> predicted AND label <> 'neutral' AND predicted <> 'neutral'"
    [(mixed, n)] = ask(rivals, f"SELECT count(*) FILTER ({mixed_up}), count(*) {own}")
    told = answers["How often does it take positive for negative, or negative for positive?"]
    assert told.startswith(f"{mixed} of {n} headlines, {mixed / n:.1%} [")
    assert "champion 33.3%" in told
    assert "one seed was trained" in answers["How much is the luck of a seed?"]
    assert re.match(r"[\d,]+ on .* \(cpu\)", answers["How many headlines a second?"])
    assert answers["Who approved it?"] == "Nobody: it was never champion."
    machine = answers["On which machine and commit was it trained?"]
    assert machine.startswith(f"Machine {platform.node()}, ")
    assert re.search(r"commit ([0-9a-f]{12}(\+changed)?|unknown) of fintone \d", machine)


def test_seeds_of_the_chosen_cell_are_told_with_their_spread(rivals: Path, trained: Any) -> None:
    seventh = [trained[2].study_id, CHAMPION, f"{trained[2].cells[0].name} seed=7"]
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("INSERT INTO study_cells VALUES (?, ?, 9, ?)", seventh)
        connection.execute(
            'UPDATE cells SET hyperparameters = json_merge_patch(hyperparameters, \'{"training": {"seed": 7}}\')'
            " WHERE cell_id = ?",
            [CHAMPION],
        )
    assert "Over 2 seeds, accuracy is " in read(write_report())


@pytest.mark.parametrize(
    ("decided", "answer"),
    [
        ([], "Not yet.</strong> The promotion gate has not judged it"),
        (["kept"], "No.</strong> The promotion gate did not promote it: accuracy .3 is below the floor."),
        (["promoted"], "Yes.</strong> It is the champion. Approved by: The promotion gate, on "),
        (
            ["promoted", "rolled back"],
            "No longer.</strong> It was the champion, and cell c4a3910000ff is",
        ),
    ],
)
def test_may_we_use_it_is_answered_with_the_reason(rivals: Path, trained: Any, decided: list[Any], answer: str) -> None:
    before = Champion(CHAMPION, 0.1)
    for decision in decided:
        judged = Champion(CHAMPION if decision == "rolled back" else trained[1], 0.1)
        who = "person" if decision == "rolled back" else "gate"
        reason = "accuracy .3 is below the floor; look 1"
        save_decision(
            rivals / "warehouse.duckdb", Decision(decision, who, reason, trained[2].study_id, *judged), before
        )
        before = judged if decision != "kept" else before
    assert answer in verdict(read(write_report()))


def test_generated_headlines_and_a_licence_for_research_do_not_become_a_yes(rivals: Path, trained: Any) -> None:
    decision = Decision("promoted", "gate", "it is good", trained[2].study_id, trained[1], 0.1)
    save_decision(rivals / "warehouse.duckdb", decision, Champion(CHAMPION, 0.1))
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET kind = 'phrasebank'")
    assert "For research only.</strong>" in verdict(read(write_report()))
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET synthetic = true")
    assert "No.</strong> The headlines are generated" in verdict(read(write_report()))


def test_a_confidence_that_is_not_counted_is_refused(rivals: Path) -> None:
    with pytest.raises(ConfidenceError, match=r"confidence 0\.905: it is none from 0 to 0\.99 in steps of 0\.01"):
        write_report(act_at=0.905)


def test_the_page_of_all_studies_has_each_study_and_each_decision(rivals: Path, trained: Any) -> None:
    write_report()
    text = read(rivals / "reports" / "index.html")
    assert f'<a href="{trained[2].study_id}/index.html">' in text
    assert "<code" in text.partition("earlier")[0]
    assert 'href="earlier/' not in text  # it has no report
    assert f"Champion: cell {CHAMPION} at temperature 0.1." in text
    assert "it was the best then" in text
    assert 'href="../index.html"' in read(rivals / "reports" / trained[2].study_id / "index.html")
