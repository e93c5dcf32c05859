"""Trainings side by side: each ends in the weights that it would have had alone."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from embedded.grammar import generate_headline
from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.models.stacked_lora import AdapterStack, structural_copy
from learning.training import probe, shared_pass
from learning.training.cell import count_side_by_side, train_adapters
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Training
from learning.training.trainer import SharedTrainer
from schemas.cell import LoraSettings
from schemas.label import Label
from tests.learning.models.families import write_family
from tests.learning.training.side_by_side import (
    EXAMPLES,
    ONE_PASS_A_STEP,
    TWO_PASSES_A_STEP,
    check_same,
    recipe,
    retrained,
    set_side_by_side,
    train,
)

passes = pytest.mark.parametrize("size", [ONE_PASS_A_STEP, TWO_PASSES_A_STEP])


@pytest.fixture(scope="module")
def base() -> LoadedBase:
    return LoadedBase(MODEL_FOLDER, "nf4", choose_device())


@pytest.mark.slow
@passes
@pytest.mark.parametrize("loss", ["completion", pytest.param("whole-text", marks=pytest.mark.soak)])
def test_learning_rates_lengths_and_seeds_end_in_the_same_weights_side_by_side_and_alone(
    base: LoadedBase, tmp_path: Path, loss: str, size: int
) -> None:
    changes: dict[str, Any] = {"loss": loss, "micro_batch_size": size}
    recipes = [recipe(1e-3, **changes), recipe(2e-4, epochs=2, **changes), recipe(1e-3, seed=8, **changes)]
    alone = [train(base, tmp_path / str(number), [single])[0] for number, single in enumerate(recipes)]
    together = train(base, tmp_path / "together", set_side_by_side(recipes, 3))
    for one, other in zip(together, alone, strict=True):
        check_same(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["mistral with a window", "gemma3 with a window"])
def test_headlines_beyond_a_window_end_in_the_same_weights_side_by_side_and_alone(tmp_path: Path, family: str) -> None:
    base = LoadedBase(write_family(family, tmp_path / "base"), "none", choose_device())
    recipes = [recipe(1e-3), recipe(2e-4)]
    alone = [train(base, tmp_path / str(number), [single])[0] for number, single in enumerate(recipes)]
    together = train(base, tmp_path / "together", set_side_by_side(recipes, 2))
    for one, other in zip(together, alone, strict=True):
        check_same(one, other)
    assert [window.size for window in base.takes_stacks if window] == [20]


@pytest.mark.soak
def test_dropout_depends_on_seed_and_step_and_not_on_the_other_trainings(base: LoadedBase, tmp_path: Path) -> None:
    first = recipe(1e-3, dropout=0.3)
    one = train(base, tmp_path / "one", set_side_by_side([first, recipe(2e-4, dropout=0.3)], 2))
    other = train(base, tmp_path / "other", set_side_by_side([first, recipe(5e-3, epochs=2, dropout=0.3)], 2))
    check_same(one[0], other[0])
    dropless = train(base, tmp_path / "none", set_side_by_side([recipe(1e-3), recipe(2e-4)], 2))
    assert dropless[0][0].log[0].loss != pytest.approx(one[0][0].log[0].loss, rel=1e-3) or any(
        not torch.allclose(weight, dropless[0][1][name]) for name, weight in one[0][1].items()
    )


@passes
@pytest.mark.soak
def test_an_unfinished_training_continues_side_by_side_with_one_that_begins(
    base: LoadedBase, tmp_path: Path, size: int
) -> None:
    changes: dict[str, Any] = {"dropout": 0.1, "micro_batch_size": size}
    short, new = recipe(1e-3, **changes), recipe(2e-4, epochs=2, **changes)
    longer = retrained(short, epochs=2)
    whole = train(base, tmp_path / "whole", set_side_by_side([longer, new], 2))
    store = CheckpointStore(tmp_path / "checkpoints", "one")
    train(base, tmp_path / "short", set_side_by_side([short, new], 2), [store, None])
    resumed = train(base, tmp_path / "resumed", set_side_by_side([longer, new], 2), [store, None])
    assert [outcome.first_step for outcome, _ in resumed] == [3, 0]
    for one, expected in zip(resumed, whole, strict=True):
        check_same(one, expected)


def test_the_next_pass_begins_before_a_step_is_logged_if_its_batch_is_built(
    base: LoadedBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    run = shared_pass._Pass.run

    def record_pass(passes: Any, *arguments: Any) -> Any:
        seen.append("pass")
        return run(passes, *arguments)

    monkeypatch.setattr(shared_pass._Pass, "run", record_pass)
    random = Random(5)
    headlines = [generate_headline(random) for _ in range(EXAMPLES)]
    recipes = set_side_by_side([recipe(rate, epochs=2, micro_batch_size=ONE_PASS_A_STEP) for rate in (1e-3, 2e-4)], 2)
    callbacks = (lambda step: seen.append(f"log {step.step}"), lambda _: None)
    trainings = [
        Training(each, tmp_path / str(number), on_step=on_step)
        for number, (each, on_step) in enumerate(zip(recipes, callbacks, strict=True))
    ]
    labels = [Label(headline.sentiment) for headline in headlines]
    train_adapters(base, [headline.text for headline in headlines], labels, trainings)
    epochs = [["pass", "pass", f"log {first}", "pass", f"log {first + 1}", f"log {first + 2}"] for first in (1, 4)]
    assert seen[-12:] == [*epochs[0], *epochs[1]]


@pytest.mark.slow
def test_a_pass_that_begins_early_has_the_result_of_one_that_begins_later(
    base: LoadedBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout, which depends on the number of the step."""
    changes: dict[str, Any] = {"epochs": 2, "dropout": 0.3, "micro_batch_size": ONE_PASS_A_STEP}
    recipes = set_side_by_side([recipe(1e-3, **changes), recipe(2e-4, **changes)], 2)
    early = train(base, tmp_path / "early", recipes)
    monkeypatch.setattr(SharedTrainer, "_begin_next", lambda _: None)
    for one, later in zip(early, train(base, tmp_path / "later", recipes), strict=True):
        check_same(one, later)


@pytest.mark.slow
@passes
def test_a_training_that_diverges_ends_and_the_others_continue(base: LoadedBase, tmp_path: Path, size: int) -> None:
    changes: dict[str, Any] = {"epochs": 2, "micro_batch_size": size}
    good = recipe(1e-3, **changes)
    together = train(base, tmp_path / "together", set_side_by_side([recipe(1e6, **changes), good], 2))
    assert [outcome.diverged for outcome, _ in together] == [True, False]
    check_same(together[1], train(base, tmp_path / "alone", [good])[0])


@pytest.mark.soak
def test_if_memory_runs_out_fewer_trainings_run_side_by_side(
    base: LoadedBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = [recipe(1e-3), recipe(2e-4), recipe(5e-4)]
    expected = train(base, tmp_path / "alone", recipes)
    fill_up = shared_pass._fill_up

    def fill_up_to_two(given: Any) -> Any:
        if len(given) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return fill_up(given)

    monkeypatch.setattr(shared_pass, "_fill_up", fill_up_to_two)
    together = train(base, tmp_path / "together", set_side_by_side(recipes, 3), sizes=[1, 2, 2])
    assert {outcome.memory_errors for outcome, _ in together} == {0}
    for one, other in zip(together, expected, strict=True):
        check_same(one, other)


def test_the_base_stays_as_it_was(base: LoadedBase, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    train(base, tmp_path, set_side_by_side([recipe(1e-2), recipe(1e-3)], 2))
    after = base.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


@pytest.mark.soak
def test_trainings_at_different_places_of_a_batch_lose_no_step(base: LoadedBase, tmp_path: Path) -> None:
    """Accelerate keeps one state for all: one that is at the end of its batch, and one in the middle, both step."""
    short = recipe(1e-3, schedule="warmup-stable-decay", batch_size=16)  # 4 passes a step, and 2 for the rest of 8
    longer, new = retrained(short, epochs=3), retrained(short, epochs=3, learning_rate=2e-4)
    store = CheckpointStore(tmp_path / "checkpoints", "one")
    train(base, tmp_path / "short", [short], [store])
    alone = [train(base, tmp_path / str(number), [single])[0] for number, single in enumerate((longer, new))]
    together = train(base, tmp_path / "together", set_side_by_side([longer, new], 2), [store, None])
    assert [outcome.first_step for outcome, _ in together] == [1, 0]
    for one, other in zip(together, alone, strict=True):
        check_same(one, other)


@pytest.mark.slow
def test_a_base_that_takes_no_stack_trains_one_adapter_at_a_time(
    base: LoadedBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train(base, tmp_path / "alone", [recipe(1e-3), recipe(2e-4)])

    def fail(*_: object) -> float:
        raise ValueError("not enough values to unpack")

    lines: list[str] = []
    monkeypatch.setattr(probe, "try_pass", fail)
    monkeypatch.setattr(base, "takes_stacks", {})
    monkeypatch.setattr(base, "kept", None)
    unstacked = train(
        base,
        tmp_path / "unstacked",
        set_side_by_side([recipe(1e-3), recipe(2e-4)], 2),
        sizes=[1, 1],
        notify=lines.append,
    )
    assert lines == ["LlamaForCausalLM takes one adapter at a time: trainings share no passes, and are slower"]
    assert base.kept is None
    for one, other in zip(unstacked, expected, strict=True):
        check_same(one, other)


def test_dropout_differs_between_steps_and_is_the_same_for_the_same_step(base: LoadedBase) -> None:
    adapter = base.copy_new(LoraSettings(r=8, alpha=16, dropout=0.5), 7)
    for name, weight in adapter.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    stack = AdapterStack(structural_copy(base.model), adapter, 2, 16)
    stack.take([adapter, base.copy_new(LoraSettings(r=8, alpha=16, dropout=0.5), 7)], [7, 7])
    stack.weights[1] = stack.weights[0]
    ids = torch.arange(5, 15).expand(2, -1)

    def run(*steps: int) -> torch.Tensor:
        stack.draw(steps)
        with torch.no_grad():
            logits: torch.Tensor = stack.model(input_ids=ids).logits
        return logits

    first = run(3, 4)
    assert torch.equal(first, run(3, 4))
    assert not torch.allclose(first[0], first[1], atol=1e-3)
    torch.testing.assert_close(first.flip(0), run(4, 3))


@pytest.mark.soak
def test_in_bfloat16_trainings_side_by_side_move_as_in_float32(base: LoadedBase, tmp_path: Path) -> None:
    """The products read a copy of the adapters in bfloat16, which must follow them at each step.

    The last of the six losses is left out: at this learning rate the updates before it multiply the smallest rounding.
    """
    short = LoadedBase(MODEL_FOLDER, "nf4", replace(choose_device(), dtype=torch.bfloat16))
    recipes = set_side_by_side(
        [recipe(2e-2, epochs=2, loss="completion"), recipe(1e-9, epochs=2, loss="completion")], 2
    )
    exact, rounded = train(base, tmp_path / "exact", recipes), train(short, tmp_path / "rounded", recipes)
    moving, still = (torch.tensor([step.loss for step in outcome.log]) for outcome, _ in exact)
    measured = torch.tensor([step.loss for step in rounded[0][0].log])
    assert rounded[0][0].environment["dtype"] == "bfloat16"
    assert (measured - moving)[:5].abs().mean() < 0.3 * (still - moving)[:5].abs().mean()


def test_if_passes_cannot_be_shared_trainings_run_one_at_a_time(base: LoadedBase) -> None:
    def count(**changes: object) -> int:
        return count_side_by_side(base, [], [], recipe(1e-3, **changes))

    assert [count(), count(side_by_side=4), count(side_by_side=4, gradient_checkpointing=True)] == [1, 4, 1]
