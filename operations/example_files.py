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
    """Write what examples are chosen from and how; of `fixed` ones also those that are shown before most headlines."""
    from learning.prompt.choice import FixedChooser
    from learning.prompt.question import as_question

    def as_record(text: str, label: Label) -> dict[str, str]:
        own = as_question(text)
        more = {"context": own.context, "instrument": own.instrument}
        return {"headline": text, "label": label, **{name: value for name, value in more.items() if value}}

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
    """What chooses the examples of a prompt as the file of an exported model says."""
    from learning.prompt.choice import Pool
    from learning.prompt.question import make_questions
    from operations.examples import make_chooser

    content = json.loads((folder / EXAMPLES_FILE).read_text(encoding="utf-8"))
    rows = ((each["headline"], each.get("context"), each.get("instrument")) for each in content["pool"])
    headlines = make_questions(*zip(*rows, strict=True))
    labels, groups = zip(*((Label(each["label"]), each["group"]) for each in content["pool"]), strict=True)
    names = ("examples", "examples_by", "examples_seed")
    prompt = prompt.model_copy(update={name: content[name] for name in names})
    return make_chooser(Pool(headlines, labels, groups), prompt, content["near_duplicates"])
