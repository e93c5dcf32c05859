"""The plan of a study: which cells there are, which is best, and in which order they run."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.baselines.registry import plan_baselines
from learning.study.grid import (
    family_of,
    group_cells,
    plan_curves,
    plan_study,
    running_order,
    split_apart,
)
from schemas.cell import CellSettings
from schemas.identity import content_id
from schemas.overrides import apply_overrides
from schemas.plan import EncoderPlan, FoundModel, ModelCell, StudyPlan
from schemas.profiles import build_config, load_profile
from tests.learning.study.demo_plans import BASE


def find_model(settings: CellSettings) -> FoundModel:
    requested = settings.base_model
    found = {"quantization": requested.quantization}
    if requested.name != "embedded":
        found |= {
            "name": requested.name,
            "folder": Path(requested.name),
            "revision": content_id([requested.name, requested.revision]),
        }
    return FoundModel(BASE.model_copy(update=found), settings)


def plan(profile: str, *assignments: str, encoder: EncoderPlan | None = None) -> StudyPlan:
    named = [f"baselines.embedding_model={encoder.name}"] if encoder else []
    config = build_config(apply_overrides(load_profile(profile), [*assignments, *named]))
    return plan_study(config, "snapshot", "split", find_model, plan_baselines(config.baselines, encoder), encoder)


def all_ids(study: StudyPlan) -> list[str]:
    return [cell.cell_id for cell in (*study.base_cells, *study.baselines, *study.cells)]


def names_of_baselines(study: StudyPlan) -> list[str]:
    assert {cell.kind for cell in study.baselines} <= {"baseline"}
    return [cell.model for cell in study.baselines]


@pytest.mark.parametrize("profile", ["demo", "paper", "desk"])
def test_a_profile_has_the_three_baselines_that_need_nothing_more(profile: str) -> None:
    assert names_of_baselines(plan(profile)) == ["majority class", "finance lexicon", "TF-IDF + linear SVM"]


def test_the_baselines_are_those_that_the_study_names() -> None:
    assert names_of_baselines(plan("demo", "baselines.names=finance lexicon")) == ["finance lexicon"]
    assert names_of_baselines(plan("demo", "baselines.names=")) == []


def test_an_encoder_adds_a_baseline_whose_id_follows_from_the_encoders_revision() -> None:
    first, moved, other = (
        plan("demo", encoder=EncoderPlan(name=name, folder=Path(name), revision=revision))
        for name, revision in (("here", "1"), ("there", "1"), ("here", "2"))
    )
    assert names_of_baselines(first)[3:] == ["sentence embeddings + logistic regression"]
    assert all_ids(first) == all_ids(moved)
    assert len(set(all_ids(first)) ^ set(all_ids(other))) == 2
    assert set(all_ids(plan("demo"))) < set(all_ids(first))


def test_the_demo_has_the_base_model_three_baselines_and_six_cells() -> None:
    study = plan("demo")
    assert [(cell.kind, cell.model) for cell in study.base_cells] == [("base", "embedded")]
    [grid] = points_of([study.cells])
    assert grid == [(rate, epochs, 42) for rate in (2e-6, 1e-3, 5e-2) for epochs in (1, 3)]
    assert len(set(all_ids(study))) == 1 + 3 + 6


def test_every_seed_is_a_cell_of_its_own() -> None:
    study = plan("demo", "grid.seeds=1,2,3")
    assert len(study.cells) == 18
    assert len(set(all_ids(study))) == 1 + 3 + 18


def test_planning_twice_gives_the_same_ids() -> None:
    assert plan("paper") == plan("paper")


def test_the_curve_adds_the_epochs_that_the_papers_grid_lacks() -> None:
    study = plan("paper")
    best = next(cell for cell in study.cells if cell.settings.training.learning_rate == 2e-4)
    curve = plan_curves(study, [best])
    assert points_of([curve]) == [[(2e-4, epochs, 42) for epochs in (2, *range(4, 14))]]
    assert {cell.cell_id for cell in curve} < {cell.cell_id for cell in plan_curves(study, study.cells)}
    assert len(plan_curves(study, study.cells)) == 3 * 11
    assert not {cell.cell_id for cell in curve} & set(all_ids(study))


def test_a_study_without_curve_adds_nothing() -> None:
    study = plan("demo")
    assert plan_curves(study, study.cells) == ()


def test_cells_that_share_a_training_run_one_after_the_other_the_shorter_first() -> None:
    study = plan("demo", "grid.learning_rates=1e-3,1e-4", "grid.epochs=3,1", "grid.seeds=2,1")
    [order] = points_of([running_order(study.cells)])
    assert order == [(rate, epochs, seed) for rate in (1e-3, 1e-4) for seed in (2, 1) for epochs in (1, 3)]


@pytest.mark.parametrize(("schedule", "together"), [("constant", 2), ("warmup-stable-decay", 2), ("cosine", 1)])
def test_cells_that_share_no_training_are_separate(schedule: str, together: int) -> None:
    study = plan("demo", f"training.schedule={schedule}")
    apart = split_apart(study.cells)
    assert [len(cells) for cells in apart] == [together] * (6 // together)
    assert [cell for cells in apart for cell in cells] == running_order(study.cells)


def cells_of(points: Iterable[tuple[float, int, int]], schedule: str = "constant") -> list[ModelCell]:
    study = plan("demo", f"training.schedule={schedule}", "training.learning_rate=1", "training.epochs=1")
    [cell] = study.cells
    made = []
    for number, (rate, epochs, seed) in enumerate(points):
        values = {"learning_rate": rate, "epochs": epochs, "seed": seed}
        training = cell.settings.training.model_copy(update=values)
        changes = {"settings": cell.settings.model_copy(update={"training": training}), "training_id": f"{rate} {seed}"}
        made.append(cell.model_copy(update={"cell_id": str(number), **changes}))
    return made


def points_of(groups: Sequence[Sequence[ModelCell]]) -> list[list[tuple[float, int, int]]]:
    trainings = [[cell.settings.training for cell in group] for group in groups]
    return [[(each.learning_rate, each.epochs, each.seed) for each in group] for group in trainings]


def side_by_side(cells: Iterable[ModelCell], most: int) -> list[list[ModelCell]]:
    return group_cells(cells, lambda _: most)


@pytest.mark.parametrize("schedule", ["constant", "warmup-stable-decay", "cosine"])
def test_a_grid_is_trained_in_groups_of_one_length_the_shorter_first(schedule: str) -> None:
    grid = ("grid.learning_rates=1e-3,1e-4", "grid.epochs=3,1", "grid.seeds=1,2")
    study = plan("demo", f"training.schedule={schedule}", *grid)
    trainings = [(rate, seed) for rate in (1e-3, 1e-4) for seed in (1, 2)]
    expected = [[(rate, epochs, seed) for rate, seed in trainings] for epochs in (1, 3)]
    assert points_of(side_by_side(study.cells, 4)) == expected


def test_a_group_is_filled_up_with_longer_cells_but_for_those_that_share_a_training() -> None:
    cells = cells_of((rate, epochs, 1) for rate in (1, 2, 3) for epochs in (1, 2))
    assert points_of(side_by_side(cells, 2)) == [
        [(1, 1, 1), (2, 1, 1)],
        [(3, 1, 1), (1, 2, 1)],
        [(2, 2, 1), (3, 2, 1)],
    ]
    curve = cells_of((1, epochs, 1) for epochs in (1, 2, 3))
    assert points_of(side_by_side(curve, 2)) == [[(1, 1, 1)], [(1, 2, 1)], [(1, 3, 1)]]
    curve = cells_of(((1, epochs, 1) for epochs in (1, 2, 3)), "cosine")
    assert points_of(side_by_side(curve, 2)) == [[(1, 1, 1), (1, 2, 1)], [(1, 3, 1)]]


@given(
    points=st.sets(st.tuples(st.sampled_from([1e-3, 1e-2, 0.1]), st.integers(1, 4), st.integers(0, 2))),
    schedule=st.sampled_from(["constant", "warmup-stable-decay", "cosine"]),
    most=st.integers(1, 6),
)
def test_every_cell_is_in_one_group_after_those_that_it_continues(
    points: set[tuple[float, int, int]], schedule: str, most: int
) -> None:
    cells = cells_of(points, schedule)
    groups = side_by_side(cells, most)
    order = [cell for group in groups for cell in group]
    assert sorted(cell.cell_id for cell in order) == sorted(cell.cell_id for cell in cells)
    assert all(0 < len(group) <= most for group in groups)
    if most == 1:
        assert order == running_order(cells)
    for group in groups:
        trainings = {cell.training_id for cell in group}
        assert schedule == "cosine" or len(trainings) == len(group)
    for training in {cell.training_id for cell in cells}:
        lengths = [cell.settings.training.epochs for cell in order if cell.training_id == training]
        assert lengths == sorted(lengths)


MIXED = ("grid.lora.r=4,16", "grid.base_model.name=embedded,org/other", "grid.learning_rates=1e-3", "grid.epochs=2,1")


def test_any_setting_varies_and_a_base_is_evaluated_once() -> None:
    study = plan("demo", *MIXED)
    cells = [(cell.model, cell.settings.lora.r, cell.settings.training.epochs) for cell in study.cells]
    assert cells == [(base, r, epochs) for epochs in (2, 1) for r in (4, 16) for base in ("embedded", "org/other")]
    assert [cell.model for cell in study.base_cells] == ["embedded", "org/other"]
    assert len(set(all_ids(study))) == 2 + 3 + 8
    prompts = plan("demo", "grid.prompt.instruction=Good or bad,Up or down", "grid.lora.r=4,16")
    assert len(prompts.base_cells) == 2


def test_two_names_of_one_base_are_one_cell_and_the_same_study() -> None:
    twin = BASE.model_copy(update={"name": "twin"})

    def find(settings: CellSettings) -> FoundModel:
        return FoundModel(BASE if settings.base_model.name == "embedded" else twin, settings)

    def plan_with(*assignments: str) -> StudyPlan:
        config = build_config(apply_overrides(load_profile("demo"), ["baselines.names=", *assignments]))
        return plan_study(config, "snapshot", "split", find, [])

    one, two = plan_with(), plan_with("grid.base_model.name=embedded,./twin")
    assert (len(two.cells), len(two.base_cells)) == (len(one.cells), 1)
    assert two.study_id == one.study_id


def test_cells_of_one_base_run_together_so_that_it_is_loaded_once() -> None:
    order = running_order(plan("demo", *MIXED).cells)
    cells = [(cell.model, cell.settings.lora.r, cell.settings.training.epochs) for cell in order]
    assert cells == [(base, r, epochs) for base in ("embedded", "org/other") for r in (4, 16) for epochs in (1, 2)]


def test_only_cells_of_one_family_are_side_by_side() -> None:
    cells = plan("demo", *MIXED, "grid.seeds=1,2").cells
    groups = side_by_side(cells, 8)
    assert sorted(len(group) for group in groups) == [2] * 8
    assert all(len({family_of(cell) for cell in group}) == 1 for group in groups)
    limited = group_cells(cells, lambda cell: 1 if cell.settings.lora.r == 16 else 8)
    assert {len(group) for group in limited if group[0].settings.lora.r == 16} == {1}


def test_a_curve_keeps_all_other_settings_of_its_cell() -> None:
    study = plan("demo", *MIXED, "grid.seeds=1,2", "curve_epochs=1,4")
    best = study.cells[-1]
    curve = plan_curves(study, [best])
    assert [(cell.settings.training.epochs, cell.settings.training.seed) for cell in curve] == [(4, 1), (4, 2)]
    assert {family_of(cell) for cell in curve} == {family_of(best)}
