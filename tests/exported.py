"""The script of an export, loaded from its folder as a user's own Python would load it."""

from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np

from learning.models.quiet import quiet_libraries
from learning.prompt.question import as_question
from operations.models import CellModel
from schemas.model_card import Canaries


def load_classifier(folder: Path) -> Any:
    """The classifier of the folder's `classify.py`, loaded as its card says."""
    with quiet_libraries():
        return run_path(str(folder / "classify.py"))["Classifier"]()


def check_script(folder: Path, model: CellModel, canaries: Canaries) -> int:
    """Compare a script with the ledger; returns before how many headlines it showed its own examples, or none."""
    classifier, defaults = load_classifier(folder), 0
    for number, text in enumerate(model.ask(canaries.headlines, canaries.contexts, canaries.instruments)):
        question = as_question(text)
        examples = [
            {"headline": str(each), "context": each.context, "instrument": each.instrument, "label": label}
            for each, label in ((as_question(headline), label) for headline, label in question.examples)
        ]
        labelled = [(each["headline"], each["label"]) for each in examples]
        own = labelled == [(each["headline"], each["label"]) for each in classifier._choose(str(question))]
        defaults += own
        answer = classifier.classify(
            str(question),
            question.context,
            question.instrument,
            examples=None if own else examples,
            temperature=canaries.temperature,
        )
        assert np.allclose([*answer.values()], canaries.probabilities[number, :3], atol=1e-4)
    return defaults
