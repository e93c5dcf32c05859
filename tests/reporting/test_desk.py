"""The report answers a desk's questions and compares the chosen cell with champion, base and best baseline."""

import platform
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from operations.report import ConfidenceError, read_report, write_report
from operations.report_index import write_index
from reporting.desk import answer_desk
from reporting.usable import describe_usable
from schemas.promotion import Champion
from storage.champions import Decision, save_decision
from storage.home import Home
from storage.warehouse import writing
from tests.asking import ask
from tests.reporting.conftest import CHAMPION

WHERE_WE_ACT = "How often is it right where we act, from a confidence of"
GENERATED = "The headlines are generated: the loop works, and the figures say nothing of real news."


def read(page: Path) -> str:
    return unescape(page.read_text(encoding="utf-8"))


@pytest.mark.usefixtures("few_charts")
def test_overview_headlines_and_the_page_of_all_studies_have_every_rival(rivals: Path, trained: Any) -> None:
    page = write_report()
    text = read(page)
    check_overview(rivals, page.parent / "charts" / "overview.svg")
    check_headlines(rivals, text.partition('<section id="headlines"')[2].partition("</section>")[0])
    check_index(read(rivals / "reports" / "index.html"), trained[2].study_id)
    assert 'href="../index.html"' in text


def test_the_page_of_all_studies_has_the_names_and_tags_that_people_gave(rivals: Path) -> None:
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET name = 'second <of> two', tags = MAP {'desk': 'fx'} WHERE number > 0")
    page = write_index(Home(rivals)).read_text(encoding="utf-8")
    assert "second &lt;of&gt; two</span>" in page
    assert ">desk=fx<" in page


def test_the_page_of_all_studies_says_in_both_tables_that_a_cell_was_not_promoted(rivals: Path, trained: Any) -> None:
    kept = Decision("kept", "gate", "too few headlines", trained[2].study_id, trained[1], 0.1)
    save_decision(rivals / "warehouse.duckdb", kept, Champion(CHAMPION, 0.1))
    text = read(write_index(Home(rivals)))
    assert text.count(">not promoted<") == 2
    assert ">kept<" not in text


@pytest.mark.slow
def test_an_encoder_without_a_base_is_not_compared_with_that_of_another_model(rivals: Path, trained: Any) -> None:
    assert [each.role for each in read_report(trained[2].study_id).contenders].count("base") == 1
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE cells SET model = 'encoder' WHERE kind = 'fine-tuned'")
    roles = [each.role for each in read_report(trained[2].study_id).contenders]
    assert roles == ["chosen", "champion", "best baseline"]


def check_overview(home: Path, chart: Path) -> None:
    """The overview has every cell, every baseline and the champion of another study, with their roles."""
    drawn = chart.read_text(encoding="utf-8")
    names = [name for (name,) in ask(home, "SELECT DISTINCT cell_name FROM leaderboard WHERE part = 'test'")]
    assert len(names) >= 5
    assert all(f">{name}<" in drawn for name in [*names, "lr=5e-01 epochs=9"])
    assert all(re.search(rf"\d  {role}<", drawn) for role in ("chosen", "champion", "best baseline"))
    assert "T\u00a0=\u00a00.1" in drawn


def check_headlines(home: Path, section: str) -> None:
    """The chosen cell is compared with champion, base and best baseline, not with every cell."""
    heads = re.findall(r'<th scope="col">(.*?)</th>', section)
    assert heads[:6] == ["headline", "label", "chosen", "champion", "base", "best baseline"]
    lost, won = (ask(home, sql) for sql in re.findall(r'fintone sql "(WITH answers.*?)"</code>', section))
    assert lost
    assert all(row[2] != row[1] == row[3] == "positive" for row in lost)  # the champion has no other answer
    assert all(row[2] == row[1] and row[3] == "positive" != row[1] for row in won)


def check_index(text: str, study_id: str) -> None:
    """The index has each study, with a link if it has a report, and each decision."""
    assert f'<a href="{study_id}/index.html">' in text
    assert ">earlier<" in text
    assert 'href="earlier/' not in text
    assert f"Champion: cell {CHAMPION} at temperature 0.1." in text
    assert "it was the best then" in text


def test_the_desk_gets_accuracy_where_it_acts_mix_ups_seeds_speed_approval_and_machine(
    rivals: Path, trained: Any
) -> None:
    answers = {each.question: each.answer for each in answer_desk(read_report(act_at=0.4))}
    predictions = f"FROM predictions WHERE study_id = latest_study() AND cell_id = '{trained[1]}' AND part = 'test'"
    predictions += " AND temperature = 0.1"
    sure = "greatest(p_negative, with_unparsed(p_neutral, p_unparsed), p_positive) >= 0.4"
    right = "label = likeliest_label(p_negative, with_unparsed(p_neutral, p_unparsed), p_positive)"
    [(accuracy, coverage)] = ask(
        rivals, f"SELECT avg(({right})::INT) FILTER ({sure}), count(*) FILTER ({sure}) / count(*) {predictions}"
    )
    assert answers[f"{WHERE_WE_ACT} 0.4?"].startswith(f"{accuracy:.3f} [")
    assert f"on the {coverage:.1%} of the headlines" in answers[f"{WHERE_WE_ACT} 0.4?"]
    mixed_up = "label <> predicted AND label <> 'neutral' AND predicted <> 'neutral'"
    [(mixed, n)] = ask(rivals, f"SELECT count(*) FILTER ({mixed_up}), count(*) {predictions}")
    mix_ups = answers["How often does it take positive for negative, or negative for positive?"]
    assert mix_ups.startswith(f"{mixed} of {n} headlines, {mixed / n:.1%} [")
    assert "champion 33.3%" in mix_ups
    assert "one seed was trained" in answers["How much is the luck of a seed?"]
    assert re.match(r"[\d,]+ on .* \(cpu\)", answers["How many headlines a second?"])
    assert answers["Who approved it?"] == "Nobody: it was never champion."
    machine = answers["On which machine and commit was it trained?"]
    assert machine.startswith(f"Machine {platform.node()}, ")
    assert re.search(r"commit ([0-9a-f]{12}(\+changed)?|unknown) of fintone \d", machine)


def test_the_figures_of_the_desk_are_those_of_the_warehouse(rivals: Path, trained: Any) -> None:
    own = f"cell_id = '{trained[1]}' AND part = 'test' AND temperature = 0.1"
    evaluation = f"evaluation_id = (SELECT evaluation_id FROM evaluations WHERE {own})"
    with writing(rivals / "warehouse.duckdb") as connection:
        wrong = f"SELECT headline_id FROM predictions WHERE {own} AND label = 'negative' ORDER BY headline_id LIMIT 3"
        connection.execute(
            f"UPDATE ledger.predictions SET predicted = 'positive' WHERE {evaluation} AND headline_id IN ({wrong})"
        )
    answers = [each.answer for each in answer_desk(read_report(act_at=0.4))]
    [(accuracy, low, high)] = ask(
        rivals, f"SELECT accuracy, accuracy_low, accuracy_high FROM acting WHERE {own} AND threshold = 0.4"
    )
    assert low < accuracy < high
    assert answers[0].startswith(f"{accuracy:.3f} [{low:.3f}, {high:.3f}], by its likeliest label, on the ")
    assert answers[0].endswith(" of the headlines that it answers so, at temperature 0.1.")
    [(mixed, n, right, rate, low, high)] = ask(
        rivals,
        "SELECT count(*) FILTER (predicted <> label AND label <> 'neutral' AND predicted <> 'neutral') AS mixed,"
        " count(*) AS n, count(*) FILTER (predicted = label AND label <> 'neutral'), mixed / n, hits_low(mixed, n),"
        f" hits_high(mixed, n) FROM predictions WHERE study_id = latest_study() AND {own}",
    )
    assert mixed >= 3
    assert answers[1].startswith(f"{mixed} of {n} headlines, {rate:.1%} [{low:.1%}, {high:.1%}]; champion 33.3%")
    assert answers[2].startswith(f"As much as {right / mixed:.1f} right calls earn: it makes that many right calls")
    [(speed,)] = ask(rivals, f"SELECT n / seconds FROM evaluations WHERE {own}")
    assert answers[4].startswith(f"{speed:,.0f} on ")
    assert answers[4].endswith(f", when it answered the {n} headlines of test.")


@pytest.mark.usefixtures("rivals")
def test_where_nothing_is_counted_the_desk_gets_a_sentence_without_figures() -> None:
    report = read_report(act_at=0.99)
    acting, mix_ups = report.tables["acting"], report.tables["mix_ups"]
    none_so_sure = acting._replace(rows=[(threshold, 0, 0.0, None, None, None) for threshold, *_ in acting.rows])
    never = {"mix_ups": 0, "right_calls": 1_234, "right_calls_per_mix_up": None}
    rows = [tuple((row | never).values()) for row in mix_ups.records()]
    tables = {**report.tables, "acting": none_so_sure, "mix_ups": mix_ups._replace(rows=rows)}
    answers = [each.answer for each in answer_desk(replace(report, tables=tables))]
    assert answers[0] == "It answers no headline with that confidence, at temperature 0.1."
    assert answers[2] == "It made none in 1,234 right calls of positive and negative."


@pytest.mark.slow
@pytest.mark.usefixtures("rivals")
@pytest.mark.parametrize(
    ("commit", "shown"),
    [
        ("0123456789abcdef+changed", "0123456789ab+changed"),
        ("0123456789abcdef", "0123456789ab"),
        (None, "not recorded"),
    ],
)
def test_a_commit_is_shortened_and_changes_after_it_are_named(commit: str | None, shown: str) -> None:
    report = read_report()
    environment = report.tables["environment"]
    rows = [
        (what, commit if what == "commit" else value) for what, value in environment.rows if commit or what != "commit"
    ]
    changed = replace(report, tables={**report.tables, "environment": environment._replace(rows=rows)})
    assert f"; commit {shown} of fintone " in answer_desk(changed)[-1].answer


def test_seeds_of_the_chosen_cell_are_shown_with_their_spread(rivals: Path, trained: Any) -> None:
    seventh = [trained[2].study_id, CHAMPION, f"{trained[2].cells[0].name} seed=7"]
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("INSERT INTO study_cells (study_id, cell_id, position, name) VALUES (?, ?, 9, ?)", seventh)
        connection.execute(
            'UPDATE cells SET hyperparameters = json_merge_patch(hyperparameters, \'{"training": {"seed": 7}}\')'
            " WHERE cell_id = ?",
            [CHAMPION],
        )
        connection.execute("UPDATE evaluations SET accuracy = 0.8 WHERE cell_id = ?", [CHAMPION])
    accuracies = [
        accuracy
        for (accuracy,) in ask(
            rivals,
            "SELECT accuracy FROM leaderboard WHERE study_id = latest_study() AND part = 'test' AND temperature = 0.1"
            " AND kind = 'fine-tuned' ORDER BY accuracy",
        )
    ]
    assert len(set(accuracies)) == 2
    assert answer_desk(read_report())[3].answer == (
        f"Over 2 seeds, accuracy is {mean(accuracies):.3f} on average, from {accuracies[0]:.3f} to "
        f"{accuracies[1]:.3f}, with a standard deviation of {stdev(accuracies):.3f}."
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decided", "answer"),
    [
        ([], "Not yet. The promotion gate has not judged it: the study is incomplete."),
        (["kept"], "No. The promotion gate did not promote it: accuracy .3 is below the floor."),
        (
            ["promoted"],
            "Yes. It is the champion. It answers at temperature 0.1, at which it was judged. Approved by: The",
        ),
        (
            ["kept", "by hand"],
            "Against the gate. A person made it champion, which the promotion gate did not: accuracy .3",
        ),
        (
            ["promoted", "rolled back"],
            "No longer. It was the champion, and cell c4a3910000ff is",
        ),
    ],
)
def test_may_we_use_it_is_answered_with_the_reason(rivals: Path, trained: Any, decided: list[Any], answer: str) -> None:
    before = Champion(CHAMPION, 0.1)
    for decision in decided:
        judged = Champion(CHAMPION if decision == "rolled back" else trained[1], 0.1)
        who = "person" if decision in {"rolled back", "by hand"} else "gate"
        named = "promoted" if decision == "by hand" else decision
        reason = "accuracy .3 is below the floor; look 1"
        save_decision(rivals / "warehouse.duckdb", Decision(named, who, reason, trained[2].study_id, *judged), before)
        before = judged if decision != "kept" else before
    usable = describe_usable(read_report())
    assert f"{usable.word}. {usable.why}".startswith(answer)


@pytest.mark.slow
@pytest.mark.usefixtures("few_charts")
def test_the_best_baseline_of_an_incomplete_study_is_named_without_a_test(
    rivals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.report.load_verdicts", lambda *_: {})
    text = read(write_report())
    [best] = [each for each in read_report().contenders if each.role == "best baseline"]
    [(model, accuracy)] = ask(
        rivals, f"SELECT model, accuracy FROM leaderboard WHERE part = 'test' AND cell_id = '{best.cell_id}'"
    )
    assert f"The best baseline, {model}, has {accuracy:.3f}; no test compares them." in text
    assert f"<dt>best baseline</dt><dd>{accuracy:.3f}<small>{model}</small>" in text


@pytest.mark.usefixtures("rivals")
@pytest.mark.parametrize("repeated", ["folds", "windows"])
def test_a_study_of_folds_or_windows_promotes_nothing(repeated: str) -> None:
    report = read_report()
    repeating = replace(report, missing=(), config={**report.config, "split": {repeated: 3}})
    usable = describe_usable(repeating)
    assert usable.word == "Not this study"
    assert usable.why.startswith(f"It was not judged: 3 {repeated} estimate a recipe, ")
    assert usable.why.endswith(f"without split.{repeated}.")
    incomplete = describe_usable(replace(repeating, missing=("epochs=2: planned",)))
    assert incomplete == ("Not yet", "The promotion gate has not judged it: the study is incomplete.")


def test_a_person_who_approved_is_named(rivals: Path, trained: Any) -> None:
    decision = Decision("promoted", "person", "ours", trained[2].study_id, trained[1], 0.1, person="M. Curie")
    save_decision(rivals / "warehouse.duckdb", decision, Champion(CHAMPION, 0.1))
    report = read_report()
    assert re.search(r"\. Approved by: M\. Curie, on .* UTC: ours\.$", describe_usable(report).why)
    elsewhere = replace(report, champion=Champion(trained[1], 3))
    assert "It answers at temperature 3, judged at 0.1. Approved" in describe_usable(elsewhere).why
    without = ("No longer", "It was the champion, and there is no champion now.")
    assert describe_usable(replace(report, champion=None)) == without


@pytest.mark.slow
def test_generated_headlines_and_a_licence_for_research_do_not_become_a_yes(rivals: Path, trained: Any) -> None:
    assert describe_usable(replace(read_report(), synthetic=True)).word == "Not yet"
    decision = Decision("promoted", "gate", "it is good", trained[2].study_id, trained[1], 0.1)
    save_decision(rivals / "warehouse.duckdb", decision, Champion(CHAMPION, 0.1))
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET kind = 'phrasebank'")
    usable = describe_usable(read_report())
    assert usable.word == "For research only"
    assert re.search(r"Approved by: The promotion gate, on .* UTC\. The licence of the data is ", usable.why)
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET synthetic = true")
    assert describe_usable(read_report()) == ("No", GENERATED)


@pytest.mark.slow
def test_a_champion_whose_accuracy_has_dropped_is_to_be_trained_again(rivals: Path, trained: Any) -> None:
    decision = Decision("promoted", "gate", "it is good", trained[2].study_id, trained[1], 0.1)
    save_decision(rivals / "warehouse.duckdb", decision, Champion(CHAMPION, 0.1))
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute(
            "INSERT INTO accuracy_drops BY NAME SELECT ? AS cell_id, unnest([.1, 1]) AS temperature, 'd' AS"
            " decoding_id, 's' AS scoring_id, 200 AS n, .63 AS accuracy, .871 AS reference, 900 AS test_n,"
            " .9 AS test_accuracy, 2e-32 AS p_value, TIMESTAMP '2026-11-29' AS found_at",
            [trained[1]],
        )
    usable = describe_usable(read_report())
    assert usable.word == "Train again"
    assert not usable.is_yes
    assert usable.why.startswith(
        "On 29 November 2026 its accuracy on 200 labelled headlines since its study was 0.630: beyond noise below "
        "0.871, the lower end of the interval on its own test part (p<.001). It is the champion."
    )
    elsewhere = replace(read_report(), champion=Champion(trained[1], 3))
    assert describe_usable(elsewhere).word == "Yes"


@pytest.mark.slow
def test_a_champion_against_the_gate_has_its_licence_and_generated_headlines_told_too(
    rivals: Path, trained: Any
) -> None:
    for named, who in (("kept", "gate"), ("promoted", "person")):
        decision = Decision(named, who, "accuracy .3 is below", trained[2].study_id, trained[1], 0.1)  # type: ignore[arg-type]
        save_decision(rivals / "warehouse.duckdb", decision, Champion(CHAMPION, 0.1))
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET kind = 'phrasebank'")
    usable = describe_usable(read_report())
    assert usable.word == "Against the gate"
    assert "no commercial use" in usable.why
    assert describe_usable(replace(read_report(), synthetic=True)) == ("No", GENERATED)


def test_a_confidence_that_is_not_counted_is_refused(rivals: Path) -> None:
    with pytest.raises(ConfidenceError, match=r"confidence 0\.905: must be from 0 to 0\.99 in steps of 0\.01"):
        read_report(act_at=0.905)
