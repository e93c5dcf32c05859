"""A small study of folds, end to end."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import pytest
from scipy.stats import ttest_rel

from cli.output.comparison_text import describe_comparison
from flows.retrain import retrain
from learning.study.comparison import mcnemar
from learning.study.intervals import paired_interval
from operations.comparison import compare_cells
from operations.folds import pool_folds
from operations.models import NoModelError, load_model
from operations.planning import lay_out
from operations.records import evaluation_ids
from schemas.plan import StudyPlan
from schemas.split import Repeats
from storage.cell_progress import fail_cell
from storage.cells import find_cell
from storage.champions import load_champion
from storage.evaluations import forget_evaluations
from storage.home import Home
from storage.warehouse import writing
from tests.asking import ask
from tests.flows.small_study import Study, run_small_study

FOLDS = 2
SMALL = ("split.method=hashed", "split.train_per_class=8", "split.validation_per_class=3", f"split.folds={FOLDS}")
ONE = ("training.learning_rate=1e-2", "lora.r=2", "decoding.temperatures=1", "decoding.draws=2")
GRID = ("grid.training.epochs=1", "baselines.names=TF-IDF + linear SVM", "decoding.top_k=null")
CURVE = ("curve_epochs=2", "search=race")


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, server: str, lasting_worker: None, few_charts: None
) -> Iterator[Study]:
    assignments = (f"base_model.name={tiny_folder}", *SMALL, *ONE, *GRID, *CURVE)
    with run_small_study(tmp_path_factory.mktemp("folds"), assignments) as study:
        yield study


def test_every_cell_has_one_line_that_pools_all_headlines(study: Study) -> None:
    [(headlines,)] = study.ask("SELECT headline_count FROM snapshots")
    board = study.ask("SELECT kind, cell_name, n FROM leaderboard WHERE part = 'test' ORDER BY place")
    assert board == [
        ("base", "base: tiny0", headlines),
        ("baseline", "baseline: TF-IDF + linear SVM", headlines),
        *(("fine-tuned", f"epochs={epochs}", headlines) for epochs in (1, 2)),
    ]


def test_pooled_answers_are_those_of_the_fold_that_did_not_learn_the_headline(study: Study) -> None:
    rows = study.ask(
        "SELECT count(*), count(*) FILTER (own.part = 'test' AND p.predicted = f.predicted AND p.p_positive ="
        " f.p_positive) FROM predictions AS p JOIN study_cells USING (study_id) JOIN cells AS c ON c.cell_id ="
        " study_cells.cell_id AND c.split_id <> (SELECT split_id FROM studies) AND study_cells.name LIKE 'epochs=2 %'"
        " JOIN splits AS own ON own.split_id = c.split_id AND own.headline_id = p.headline_id AND own.part = 'test'"
        " JOIN evaluations AS e ON e.cell_id = c.cell_id AND e.part = 'test' AND e.temperature = p.temperature"
        " JOIN ledger.predictions AS f ON f.evaluation_id = e.evaluation_id AND f.headline_id = p.headline_id"
        " WHERE p.part = 'test' AND p.cell_id = (SELECT DISTINCT cell_id FROM leaderboard WHERE cell_name = 'epochs=2')"
    )
    [(headlines,)] = study.ask("SELECT headline_count FROM snapshots")
    assert rows == [(headlines, headlines)]


def test_figures_follow_from_the_pooled_answers_and_intervals_contain_those_over_headlines(study: Study) -> None:
    rows = study.ask(
        "SELECT any_value(kind), any_value(accuracy), avg((predicted = label)::INT), any_value(accuracy_low),"
        " any_value(accuracy_high),"
        " hits_low(sum((predicted = label)::INT), count(*)), hits_high(sum((predicted = label)::INT), count(*))"
        " FROM leaderboard JOIN predictions USING (study_id, cell_id, part, evaluation_id) GROUP BY evaluation_id"
    )
    assert rows
    for _, accuracy, expected, low, high, headlines_low, headlines_high in rows:
        assert accuracy == pytest.approx(expected)
        assert low <= headlines_low + 1e-9
        assert high >= headlines_high - 1e-9
    wider = {kind for kind, *_, low, high, least, most in rows if high - low > most - least + 1e-6}
    assert wider >= {"fine-tuned"}  # its folds differ
    assert "base" not in wider  # one model answered all of them


def test_an_untouched_base_answers_each_headline_once(study: Study) -> None:
    [(base,)] = study.ask("SELECT DISTINCT cell_id FROM cells WHERE kind = 'base'")
    parts = study.ask(f"SELECT part, n FROM leaderboard WHERE cell_id = '{base}' AND temperature = 1 ORDER BY part")
    assert [part for part, _ in parts] == ["test", "validation"]
    same = study.ask(
        f"SELECT bool_and(t.p_positive = v.p_positive) FROM predictions AS v JOIN predictions AS t USING (cell_id,"
        f" headline_id, temperature) WHERE cell_id = '{base}' AND v.part = 'validation' AND t.part = 'test'"
    )
    assert same == [(True,)]


def test_the_spread_over_folds_is_in_sql(study: Study) -> None:
    rows = study.ask(
        "SELECT whole.cell_id, folds, accuracy_mean, accuracy_sd, accuracy_min, accuracy_max, macro_f1_mean,"
        " macro_f1_sd, list(fold.accuracy), list(fold.macro_f1) FROM leaderboard_over_folds AS whole"
        " JOIN leaderboard_by_fold AS fold USING (study_id, cell_id)"
        " WHERE fold.temperature IS NOT DISTINCT FROM whole.temperature GROUP BY ALL"
    )
    assert len(rows) == 4
    for _, folds, *figures, accuracies, scores in rows:
        assert folds == len(accuracies) == FOLDS
        spread = mean(accuracies), stdev(accuracies), min(accuracies), max(accuracies), mean(scores), stdev(scores)
        assert figures == pytest.approx(spread)
    pooled = study.ask(
        "SELECT any_value(leaderboard.accuracy), sum(fold.n * fold.accuracy) / sum(fold.n) FROM leaderboard"
        " JOIN leaderboard_by_fold AS fold USING (study_id, cell_id) WHERE part = 'test' GROUP BY evaluation_id"
    )
    assert len(pooled) == 4
    assert all(accuracy == pytest.approx(mean) for accuracy, mean in pooled)


def test_nothing_is_promoted_and_a_second_run_does_nothing(study: Study) -> None:
    assert study.ask("SELECT status FROM studies") == [("finished",)]
    assert load_champion(study.home / "warehouse.duckdb") is None
    before = study.ask("SELECT cell_id, finished_at FROM cells ORDER BY ALL")
    assert retrain(study.config) == study.study_id
    assert study.ask("SELECT cell_id, finished_at FROM cells ORDER BY ALL") == before


def test_a_pooled_cell_has_no_adapter_and_a_cell_of_a_fold_has(study: Study) -> None:
    warehouse = study.home / "warehouse.duckdb"
    pooled, of_fold = (find_cell(warehouse, name) for name in ("epochs=2", "epochs=2 fold=1"))
    with pytest.raises(NoModelError, match="pools the folds"):
        load_model(Home(study.home), pooled)
    assert load_model(Home(study.home), of_fold).fine_tune.folder.is_dir()


def test_cells_are_compared_on_the_pooled_headlines(study: Study) -> None:
    [(headlines,)] = study.ask("SELECT headline_count FROM snapshots")
    assert study.ask("SELECT DISTINCT n FROM comparisons") == [(headlines,)]


def test_saved_comparisons_and_those_of_fintone_compare_are_no_surer_than_the_folds(study: Study) -> None:
    saved = study.ask(
        "SELECT own.name, other.name, difference_low, difference_high, p_value, only_right, only_other_right, n"
        " FROM ledger.comparisons AS c JOIN study_cells AS own USING (study_id, cell_id) JOIN study_cells AS other"
        " ON other.study_id = c.study_id AND other.cell_id = c.other_cell_id"
    )
    assert len(saved) == 6
    for name, other, *figures, only_right, only_other_right, n in saved:
        [run] = compare_cells(
            study.home / "warehouse.duckdb", name, other, part="test", temperature=None, most_flips=0
        ).runs
        compared = run.comparison
        assert (compared.difference_low, compared.difference_high, compared.p_value) == tuple(figures)
        accuracies = study.ask(
            "SELECT list(own.accuracy ORDER BY fold), list(other.accuracy ORDER BY fold)"
            " FROM leaderboard_by_fold AS own JOIN leaderboard_by_fold AS other USING (study_id, fold)"
            f" WHERE own.cell_name = '{name}' AND other.cell_name = '{other}'"
        )
        by_fold = ttest_rel(*accuracies[0])
        assert figures[-1] == pytest.approx(max(mcnemar(only_right, only_other_right), by_fold.pvalue), abs=0.05)
        alone = paired_interval(only_right, only_other_right, n)
        assert alone is None or (figures[0] <= alone[0] and figures[1] >= alone[1])


def test_on_validation_cells_are_compared_by_fold_as_well(study: Study) -> None:
    compared = compare_cells(
        study.home / "warehouse.duckdb", "epochs=1", "epochs=2", part="validation", temperature=1, most_flips=0
    )
    pairing = compared.runs[0].pairing
    [(split, folds)] = pairing.folds.items()
    [(first, second)] = study.ask(
        "SELECT count(*) FILTER (fold = 1), count(*) FILTER (fold = 2) FROM studies JOIN split_folds USING (split_id)"
        " JOIN splits ON splits.split_id = fold_split_id WHERE part = 'validation'"
    )
    assert [int((folds == fold).sum()) for fold in range(FOLDS)] == [first, second]
    lines = [line for block in describe_comparison(compared) for line in block]
    assert (
        "note",
        "one model answers each of 2 folds, so p and intervals allow for differences between folds",
    ) in lines
    assert "p-value" in dict(lines)
    assert "McNemar" not in dict(lines)
    run = replace(compared.runs[0], pairing=replace(pairing, folds={split: folds, "other": folds}))
    apart = replace(compared, runs=[run], repeats=(Repeats(2, "fold"), Repeats(3, "fold")))
    assert (
        "note",
        (
            "A and B do not share their folds: one model answers each of 2 folds and 3 folds, so p and intervals allow"
            " for differences between folds"
        ),
    ) in next(describe_comparison(apart))


def test_the_report_shows_the_spread_and_says_that_nothing_is_promoted(study: Study) -> None:
    page = Home(study.home).report(study.study_id).read_text(encoding="utf-8")
    assert f"Spread over {FOLDS} folds: a model of each cell for each fold" in page
    assert "allow for how the folds differ; those of confidence, mix-ups and periods are over headlines only" in page
    assert f"{FOLDS} folds estimate a recipe" in page


@pytest.fixture
def copied(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyPlan:
    """The plan of the study, whose home is a copy."""
    shutil.copytree(study.home, tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    [ids] = study.ask("SELECT snapshot_id, split_id FROM studies")
    return lay_out(study.config, *ids)


def test_draws_curve_likeliest_labels_and_time_of_a_pooled_cell_are_those_of_its_folds(copied: StudyPlan) -> None:
    assert pool_folds(copied) == []
    home, [pooled] = Home.from_environment().root, copied.cells
    draws = ask(
        home,
        "SELECT part, count(*), bool_or(draw = 0 AND draws.accuracy = leaderboard.accuracy) FROM draws JOIN leaderboard"
        f" USING (study_id, cell_id, part, temperature) WHERE cell_id = '{pooled.cell_id}' GROUP BY part ORDER BY part",
    )
    assert draws == [("test", 2, True), ("validation", 2, True)]
    points = ask(
        home,
        "SELECT curve.expected_accuracy, board.expected_accuracy FROM temperature_curve AS curve JOIN leaderboard AS"
        f" board USING (study_id, cell_id, part, temperature) WHERE cell_id = '{pooled.cell_id}'",
    )
    assert len(points) == 2
    assert [point for point, _ in points] == pytest.approx([expected for _, expected in points])
    figures = "SELECT sum(n), sum(n * argmax_accuracy) / sum(n), sum(seconds) FROM evaluations WHERE part = 'test' AND"
    folds = ", ".join(f"'{fold.cells[0].cell_id}'" for fold in copied.folds)
    [whole], [own] = (ask(home, f"{figures} cell_id IN ({ids})") for ids in (f"'{pooled.cell_id}'", folds))
    assert whole == pytest.approx(own)


def test_a_pooled_cell_costs_the_mean_of_its_folds_and_has_diverged_if_one_has(copied: StudyPlan) -> None:
    home, pooled = Home.from_environment(), (copied.baselines[0], copied.cells[0])
    with writing(home.warehouse) as connection:
        for number, fold in enumerate(copied.folds, start=1):
            cost = f"UPDATE cells SET train_seconds = {10 * number}, size_bytes = {200 * number} WHERE cell_id = ?"
            connection.executemany(cost, [[fold.baselines[0].cell_id], [fold.cells[0].cell_id]])
        connection.execute("UPDATE cells SET status = 'diverged' WHERE cell_id = ?", [copied.folds[1].cells[0].cell_id])
    assert pool_folds(copied) == []
    costs = "SELECT status, train_seconds, size_bytes, environment->>'device' FROM cells WHERE cell_id = '{0}'"
    baseline, fine_tune = (ask(home.root, costs.format(cell.cell_id)) for cell in pooled)
    assert baseline == [("finished", 15.0, 300, None)]
    assert fine_tune == [("diverged", 15.0, 300, "cpu")]


def test_pooling_again_keeps_what_other_studies_compare_unless_a_fold_is_evaluated_again(copied: StudyPlan) -> None:
    warehouse, [fold, _] = Home.from_environment().warehouse, copied.folds
    baseline = copied.baselines[0].cell_id
    evaluated = f"SELECT max(evaluated_at) FROM evaluations WHERE cell_id = '{baseline}'"
    with writing(warehouse) as connection:
        connection.execute(
            "INSERT INTO ledger.comparisons SELECT * REPLACE ('another' AS study_id) FROM ledger.comparisons"
            " WHERE other_cell_id = ?",
            [baseline],
        )
        connection.execute("INSERT INTO studies SELECT * REPLACE ('another' AS study_id, 1000 AS number) FROM studies")
        connection.execute(
            "INSERT INTO study_cells SELECT * REPLACE ('another' AS study_id) FROM study_cells WHERE cell_id = ?",
            [baseline],
        )
    kept = ask(warehouse, "FROM ledger.comparisons ORDER BY ALL")
    before = ask(warehouse, evaluated)
    assert pool_folds(copied) == []
    assert ask(warehouse, "FROM ledger.comparisons ORDER BY ALL") == kept
    assert ask(warehouse, evaluated) == before
    with writing(warehouse) as connection:
        connection.execute(
            "UPDATE evaluations SET evaluated_at = evaluated_at + INTERVAL 1 HOUR WHERE cell_id = ?",
            [fold.baselines[0].cell_id],
        )
    assert pool_folds(copied) == []
    assert ask(warehouse, evaluated) != before
    assert ask(warehouse, "SELECT count(*) FROM ledger.comparisons WHERE study_id = 'another'") == [(0,)]


def at_another_temperature(study: StudyPlan) -> StudyPlan:
    """The plan of another study of the same cells at temperature 3, with the answers of the folds at 1."""
    decoding = study.config.decoding.model_copy(update={"temperatures": (3.0,)})
    other = lay_out(study.config.model_copy(update={"decoding": decoding}), study.snapshot_id, study.split_id)
    with writing(Home.from_environment().warehouse) as connection:
        for fold in (other, *other.folds):
            for cell in other.cells_without_folds if fold is other else fold.cells:
                for (part, temperature), new in evaluation_ids(fold, cell).items():
                    old = (
                        f"(SELECT evaluation_id FROM evaluations WHERE cell_id = '{cell.cell_id}' AND part = '{part}')"
                    )
                    for table, at in (("evaluations", f", {temperature} AS temperature"), ("ledger.predictions", "")):
                        connection.execute(
                            f"INSERT INTO {table} SELECT * REPLACE ('{new}' AS evaluation_id{at}) FROM {table}"
                            f" WHERE evaluation_id IN {old} AND evaluation_id <> '{new}'"
                        )
    return other


def test_studies_of_folds_that_differ_in_temperature_keep_their_pooled_cells(copied: StudyPlan) -> None:
    home, [pooled], other = Home.from_environment(), copied.cells, at_another_temperature(copied)
    answers = (
        f"SELECT temperature, count(*) FROM predictions WHERE cell_id = '{pooled.cell_id}' AND part = 'test' GROUP BY 1"
    )
    compared = "SELECT count(*) FROM ledger.comparisons"
    before = ask(home.root, answers), ask(home.root, compared)
    assert pool_folds(other) == []
    assert (ask(home.root, answers), ask(home.root, compared)) == before
    pools = f"SELECT temperature FROM evaluations WHERE cell_id = '{pooled.cell_id}' AND part = 'test' ORDER BY ALL"
    assert ask(home.root, pools) == [(1.0,), (3.0,)]
    second = other.folds[1]
    with writing(home.warehouse) as connection:  # a fold fails at this study's temperature alone
        connection.execute(
            "DELETE FROM evaluations WHERE evaluation_id = ?",
            [evaluation_ids(second, second.cells[0])["test", 3.0]],
        )
    assert pool_folds(other) == ["epochs=1"]
    assert ask(home.root, pools) == [(1.0,)]
    assert (ask(home.root, answers), ask(home.root, compared)) == before
    assert ask(home.root, f"SELECT status FROM cells WHERE cell_id = '{pooled.cell_id}'") == [("finished",)]


def test_a_pooled_cell_gets_the_draws_that_another_study_adds(copied: StudyPlan) -> None:
    home, [pooled] = Home.from_environment(), copied.cells
    decoding = copied.config.decoding.model_copy(update={"draws": 4})
    more = lay_out(copied.config.model_copy(update={"decoding": decoding}), copied.snapshot_id, copied.split_id)
    accuracies = (
        "SELECT draw, ledger.draws.accuracy FROM ledger.draws JOIN evaluations USING (evaluation_id)"
        f" WHERE cell_id = '{pooled.cell_id}' AND part = 'test' ORDER BY draw"
    )
    [first, second] = ask(home.root, accuracies)
    assert pool_folds(more) == []
    drawn = ask(home.root, accuracies)
    assert ([draw for draw, _ in drawn], drawn[:2]) == ([0, 1, 2, 3], [first, second])


def test_a_cell_is_not_pooled_while_a_fold_lacks_its_evaluation(copied: StudyPlan) -> None:
    home, [pooled], [_, second] = Home.from_environment(), copied.cells, [fold.cells[0] for fold in copied.folds]
    forget_evaluations(home.warehouse, second.cell_id)
    fail_cell(home.warehouse, second.cell_id, "no memory", even_if_done=True)
    assert pool_folds(copied) == ["epochs=1"]
    row = f"SELECT status, reason FROM cells WHERE cell_id = '{pooled.cell_id}'"
    assert ask(home.root, row) == [("failed", "fold 2 of 2 is not evaluated: no memory")]
    assert ask(home.root, f"SELECT count(*) FROM evaluations WHERE cell_id = '{pooled.cell_id}'") == [(0,)]
