"""`fintone list` and `fintone show` on a home with a trained cell: ids, names, sizes, and commands that can be run."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reporting.verdict import format_ratio
from schemas.plan import StudyPlan
from storage.champions import Decision, save_decision
from storage.studies import finish_study
from storage.warehouse import writing

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


@pytest.fixture
def cell(trained: tuple[Path, str, StudyPlan], home: Path) -> str:
    """The id of a trained cell in a home of its own."""
    shutil.copytree(trained[0], home)
    finish_study(home / "warehouse.duckdb", trained[2].study_id, "finished")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute(
            "UPDATE studies SET name = 'weekly', tags = MAP {'desk': 'fx'}, started_at = '2026-01-31 23:59:59.9'"
        )
    return trained[1]


def test_a_list_has_ids_names_figures_and_sizes(
    fintone: Run, cell: str, home: Path, trained: tuple[Path, str, StudyPlan]
) -> None:
    code, out, err = fintone("list", "--format", "json")
    assert (code, err) == (0, "")
    [study] = json.loads(out)
    assert (study["study"], study["name"], study["tags"]) == (trained[2].study_id, "weekly", {"desk": "fx"})
    assert study["megabytes"] > 0
    assert study["started_at"].startswith("2026-01-31")
    assert study["started_at"].endswith("23:59:59")
    code, out, _ = fintone("list", "cells", "--format", "csv")
    header, *rows = out.splitlines()
    assert header.startswith("cell,name,status,accuracy,")
    assert {row.partition(",")[0] for row in rows} >= {cell}
    out = " ".join(fintone("list")[1].split())
    assert re.search(rf"\(1 row\) home {home}: warehouse \d+\.\d MB, adapters ", out)


def test_a_list_rounds_as_everything_else_does(fintone: Run, cell: str, home: Path) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE evaluations SET accuracy = 69 / 240")
    rows = json.loads(fintone("list", "cells", "--format", "json")[1])
    assert {f"{row['accuracy']}" for row in rows if row["cell"] == cell} == {f"0{format_ratio(69 / 240)}"}


def test_a_list_of_nothing_is_empty_and_without_a_warehouse_says_how_to_get_one(
    fintone: Run, refuse: Refuse, cell: str, home: Path
) -> None:
    assert fintone("list", "champions", "--format", "json") == (0, "[]\n", "")
    (home / "warehouse.duckdb").unlink()
    assert "does not exist; run `fintone run` first" in refuse("list")


def test_a_study_a_cell_and_a_snapshot_are_shown_with_facts_and_tables(
    fintone: Run, cell: str, trained: tuple[Path, str, StudyPlan]
) -> None:
    study = trained[2]
    shown = {name: json.loads(fintone("show", name, "--format", "json")[1]) for name in ("weekly", cell[:4])}
    assert (shown["weekly"]["kind"], shown["weekly"]["id"]) == ("study", study.study_id)
    assert cell in shown["weekly"]["facts"]["best_on_validation"]
    assert cell in {row["cell"] for row in shown["weekly"]["tables"]["leaderboard"]}
    assert {row["part"] for row in shown["weekly"]["tables"]["parts"]} == {"train", "validation", "test"}
    shown_cell = shown[cell[:4]]
    assert shown_cell["facts"]["settings"]["lora"]["r"] == 8
    assert [row["study"] for row in shown_cell["tables"]["studies"]] == [study.study_id]
    assert {row["part"] for row in shown_cell["tables"]["figures"]} == {"validation", "test"}
    snapshot = json.loads(fintone("show", study.snapshot_id, "--format", "json")[1])
    assert [row["study"] for row in snapshot["tables"]["studies"]] == [study.study_id]
    assert sum(row["headlines"] for row in snapshot["tables"]["labels"]) == snapshot["facts"]["headlines"]


def test_figures_are_rounded_as_in_the_other_commands(fintone: Run, cell: str, home: Path) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE evaluations SET accuracy = .4125, macro_f1 = .4135 WHERE cell_id = ?", [cell])
    for out in (fintone("show", cell)[1], fintone("show", "weekly")[1]):
        assert {"0.412", "0.413"} <= set(out.split())  # the doubles nearest to .4125 and .4135 are below them
    figures = json.loads(fintone("show", cell, "--format", "json")[1])["tables"]["figures"]
    assert {row["accuracy"] for row in figures} == {0.4125}


def test_the_queries_that_it_names_can_be_run(fintone: Run, cell: str) -> None:
    code, out, err = fintone("show", cell)
    assert (code, err) == (0, "")
    queries = re.findall(r"^ {2}(fintone sql .+)$", out, flags=re.MULTILINE)
    assert len(queries) == 2
    assert [fintone(*shlex.split(query)[1:])[0] for query in queries] == [0, 0]
    assert f"fintone promote {cell} " in out
    [base] = [
        row["cell"]
        for row in json.loads(fintone("list", "cells", "--format", "json")[1])
        if row["name"].startswith("base: ")
    ]
    assert "training_log" not in fintone("show", base)[1]


def test_the_champion_is_shown_as_its_cell(
    fintone: Run, cell: str, home: Path, trained: tuple[Path, str, StudyPlan]
) -> None:
    decision = Decision("promoted", "person", "ours", trained[2].study_id, cell, 0.1)
    save_decision(home / "warehouse.duckdb", decision, None)
    out = fintone("show", "champion")[1]
    assert out.splitlines()[0].split() == ["champion", "cell", cell, "at", "temperature", "0.1"]
    assert re.match(r"answers +at temperature 0.1, at which it was judged: accuracy \.\d+", out.splitlines()[1])
    assert re.search(r"^champion now +yes", out, flags=re.MULTILINE)
    assert "fintone promote" not in out
    assert "accuracy dropped" not in out
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute(
            "INSERT INTO accuracy_drops BY NAME SELECT ? AS cell_id, unnest([.1, 1]) AS temperature, 'd' AS"
            " decoding_id, 's' AS scoring_id, unnest([200, 300]) AS n, .63 AS accuracy, .871 AS reference, 900 AS"
            " test_n, .9 AS test_accuracy, 2e-32 AS p_value, unnest(['2026-11-29', '2026-11-30']) AS found_at",
            [cell],
        )
    facts = json.loads(fintone("show", "champion", "--format", "json")[1])["facts"]
    assert facts["accuracy_dropped"].startswith("On 29 November 2026 its accuracy on 200 labelled headlines since")
    assert facts["accuracy_dropped"].endswith("Train again: fintone run")
    assert re.search(rf"^{cell} .* true ", fintone("list", "cells")[1], flags=re.MULTILINE)


def test_any_other_id_is_shown_as_its_row(
    fintone: Run, refuse: Refuse, cell: str, trained: tuple[Path, str, StudyPlan]
) -> None:
    code, out, _ = fintone("show", trained[2].split_id)
    assert (code, out.splitlines()[0].split()) == (0, ["split", trained[2].split_id])
    assert "nonesuch: no id or name; `fintone list` shows studies" in refuse("show", "nonesuch")
