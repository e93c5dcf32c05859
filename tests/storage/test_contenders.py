"""The cells that a report compares with the chosen one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.report import Chosen
from storage.cells import add_cells
from storage.contenders import read_contenders
from storage.evaluations import save_evaluations
from storage.warehouse import reading


@pytest.mark.parametrize(("examples", "base"), [({}, "bare"), ({"examples": 3}, "shown")])
def test_the_base_is_the_one_with_the_prompt_of_the_chosen_cell_whatever_else_it_has(
    finished: Path,
    cell: Callable[..., Any],
    evaluation: Callable[..., Any],
    predict: Callable[..., Any],
    examples: dict[str, int],
    base: str,
) -> None:
    model, rest = {"base_model": {"name": "tiny-llama"}}, {"training": {"precision": "auto"}}
    other = {"base_model": {"name": "tiny-llama", "quantization": "int8"}}

    def settings(lora: dict[str, Any], shown: dict[str, int]) -> dict[str, Any]:
        return {**model, "prompt": {"instruction": "Say", **shown}, **lora, **rest}

    unvaried = {"kind": "base", "learning_rate": None, "epochs": None, "seed": None}
    cells = [
        cell(cell_id="chosen", hyperparameters=settings({"lora": {"r": 64}}, examples)),
        cell(cell_id="bare", name="bare", hyperparameters=settings({}, {}), **unvaried),
        cell(cell_id="shown", name="shown", hyperparameters=settings({}, {"examples": 3}), **unvaried),
    ]
    cells.append(cell(cell_id="int8", name="int8", hyperparameters={**settings({}, examples), **other}, **unvaried))
    cells.append(cell(cell_id="worse", name="worse", hyperparameters=settings({}, examples), **unvaried))
    add_cells(finished, "study", cells)
    for each, accuracy in (("chosen", 0.9), ("bare", 0.5), ("shown", 0.7), ("int8", 0.8), ("worse", 0.4)):
        record = evaluation(each, 1, accuracy=accuracy)
        save_evaluations(finished, [record], predict(record.evaluation_id))
    with reading(finished) as connection:
        found = read_contenders(connection, "study", Chosen("chosen", "lr=2e-04 epochs=3", 1))
    assert [each.cell_id for each in found if each.role == "base"] == [base]
