"""Answers to headlines that have a label in the source: how many are right, with and without those trained on."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.listing import list_some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from schemas.source import DataSettings


class LabelledAnswers:
    """Gathers answers with their true labels, batch by batch, and measures them; a byte or so for each row."""

    def __init__(self, warehouse: Path, cell_id: str, reading: "DataSettings") -> None:
        """Begin with none.

        Args:
            warehouse: The DuckDB file, which knows what the cell was trained on.
            cell_id: The cell that answers.
            reading: How the source is read, with the words of its labels.
        """
        from ingestion.labels import LabelWords

        self._warehouse, self._cell_id, self._words = warehouse, cell_id, LabelWords.of(reading)
        self._labels: list[NDArray[np.int64]] = []
        self._answers: list[NDArray[np.int64]] = []
        self._trained: list[NDArray[np.bool_]] = []
        self._unknown: Counter[str] = Counter()

    def add(self, rows: "pd.DataFrame") -> None:
        """Take in answered rows: columns trained_id, word and the probabilities. Unparsed counts as neutral."""
        import numpy as np

        from learning.study.unparsed import with_unparsed
        from schemas.label import LABELS
        from storage.scores import PROBABILITIES
        from storage.splits import load_trained_texts

        numbers = {label.value: number for number, label in enumerate(LABELS)}
        words = [self._resolve(word) for word in rows["word"]]
        self._unknown.update(word for word in words if word not in numbers and not self._words.leaves_out(word))
        labelled = rows[[word in numbers for word in words]]
        if labelled.empty:
            return
        trained = load_trained_texts(self._warehouse, self._cell_id, labelled["trained_id"].tolist())
        probabilities = labelled[list(PROBABILITIES)].to_numpy(dtype=float)
        self._labels.append(np.array([numbers[word] for word in words if word in numbers], dtype=np.int8))
        self._answers.append(with_unparsed(probabilities).argmax(axis=1).astype(np.int8))
        self._trained.append(labelled["trained_id"].isin(trained).to_numpy())

    def _resolve(self, word: str | None) -> str:
        """The label that a word means, or the word itself; empty for a missing one."""
        return "" if word is None or self._words.is_missing(word) else self._words.resolve(word)

    def describe(self) -> list[str]:
        """Accuracy and macro-F1 with 95 % intervals, a line each; and what has no label that is known."""
        if not self._labels:
            return []
        lines = [f"evaluation: {self._describe_unknown()}"] if self._unknown else []
        import numpy as np

        labels, answers = (np.concatenate(each).astype(np.int64) for each in (self._labels, self._answers))
        trained = np.concatenate(self._trained)
        lines.append(
            f"evaluation: {_tell_metrics(labels, answers)}; the model was trained on {trained.sum():,} of them"
        )
        if 0 < trained.sum() < len(labels):
            lines.append(f"evaluation without these: {_tell_metrics(labels[~trained], answers[~trained])}")
        return lines

    def explain_nothing(self) -> str | None:
        """Why no answer can be compared with a label; None if some can."""
        if self._labels:
            return None
        return f"nothing to evaluate, {self._describe_unknown() if self._unknown else 'it has no row with an answer'}"

    def _describe_unknown(self) -> str:
        rows, empty = sum(self._unknown.values()), self._unknown.pop("", 0)
        shown = [f"{many:,} {word!r:.40}" for word, many in self._unknown.most_common()]
        self._unknown[""] = empty
        told = list_some([*([f"{empty:,} empty"] if empty else []), *shown])
        return f"{_count(rows)} without a label that is known ({told}); --label-map says what words mean"


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _tell_metrics(labels: "NDArray[np.int64]", answers: "NDArray[np.int64]") -> str:
    from learning.study.metrics import measure
    from reporting.verdict import tell_bounds, tell_figure

    figures = measure(labels, answers, None)
    accuracy = f"{tell_figure(figures.accuracy)} {tell_bounds(figures.accuracy_low, figures.accuracy_high)}"
    macro_f1 = f"{tell_figure(figures.macro_f1)} {tell_bounds(figures.macro_f1_low, figures.macro_f1_high)}"
    return f"accuracy {accuracy}, macro-F1 {macro_f1} on {len(labels):,} labelled rows"
