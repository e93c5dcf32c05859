"""The examples of an exported model: a JSON file beside its weights, from which the same examples are chosen again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.cell import PromptSettings
from schemas.label import Label
from schemas.model_card import EXAMPLES_FILE

if TYPE_CHECKING:
    from operations.examples import Chooser


def write_examples(folder: Path, chooser: "Chooser", prompt: PromptSettings, near_duplicates: str) -> None:
    """Write the pool of examples and how they are chosen; for `fixed` ones also those shown before most headlines."""
    from learning.prompt.choice import FixedChooser
    from learning.prompt.question import as_question

    def as_record(text: str, label: Label) -> dict[str, str]:
        question = as_question(text)
        optional = {"context": question.context, "instrument": question.instrument}
        return {"headline": text, "label": label, **{name: value for name, value in optional.items() if value}}

    shown = chooser.shown if isinstance(chooser, FixedChooser) else ()
    pool = zip(chooser.pool.texts, chooser.pool.labels, chooser.pool.groups, strict=True)
    content = {
        **prompt.model_dump(mode="json", include={"examples", "examples_by", "examples_seed"}),
        "near_duplicates": near_duplicates,
        "shown": [as_record(text, label) for text, label in shown],
        "pool": [{**as_record(text, label), "group": group} for text, label, group in pool],
    }
    (folder / EXAMPLES_FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_examples(folder: Path, prompt: PromptSettings) -> "Chooser":
    """The chooser of a prompt's examples, from the file of an exported model."""
    from learning.prompt.choice import Pool
    from learning.prompt.question import make_questions
    from operations.examples import make_chooser

    content = json.loads((folder / EXAMPLES_FILE).read_text(encoding="utf-8"))
    rows = ((entry["headline"], entry.get("context"), entry.get("instrument")) for entry in content["pool"])
    headlines = make_questions(*zip(*rows, strict=True))
    labels, groups = zip(*((Label(entry["label"]), entry["group"]) for entry in content["pool"]), strict=True)
    names = ("examples", "examples_by", "examples_seed")
    prompt = prompt.model_copy(update={name: content[name] for name in names})
    return make_chooser(Pool(headlines, labels, groups), prompt, content["near_duplicates"])
