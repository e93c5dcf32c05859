"""Evaluates answers to headlines with a label in the source, with and without those that were trained on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from schemas.label import LABEL_VALUES, PROBABILITIES
from schemas.listing import count, list_some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from schemas.source import DataSettings


class LabelledAnswers:
    """Gathers answers with their true labels, batch by batch, and measures them; takes a few bytes for each row."""

    def __init__(self, reading: "DataSettings") -> None:
        """Begin with none.

        Args:
            reading: How the source is read, with the words of its labels.
        """
        from ingestion.labels import LabelWords

        self._words = LabelWords.of(reading)
        self._labels: list[NDArray[np.int64]] = []
        self._answers: list[NDArray[np.int64]] = []
        self._trained: list[NDArray[np.bool_]] = []
        self._unknown: Counter[str] = Counter()

    def list_labels(self, words: Iterable[str | None]) -> list[str | None]:
        """The label that each word means; None for a word that means none."""
        labels = [self._resolve(word) for word in words]
        return [label if label in LABEL_VALUES else None for label in labels]

    def add(self, rows: "pd.DataFrame") -> None:
        """Add answered rows: columns word, true_label, in_sample and probabilities. Unparsed counts as neutral."""
        import numpy as np

        from learning.study.unparsed import with_unparsed

        labelled = rows[rows["true_label"].notna()]
        self.count_unknown(Counter(word or "" for word in rows.loc[rows["true_label"].isna(), "word"]))
        if labelled.empty:
            return
        probabilities = labelled[list(PROBABILITIES)].to_numpy(dtype=float)
        numbers = {label: number for number, label in enumerate(LABEL_VALUES)}
        self._labels.append(np.array([numbers[label] for label in labelled["true_label"]], dtype=np.int8))
        self._answers.append(with_unparsed(probabilities).argmax(axis=1).astype(np.int8))
        self._trained.append(labelled["in_sample"].to_numpy(dtype=bool))

    def count_unknown(self, words: Mapping[str, int]) -> None:
        """Count the rows of words that mean no label, except those of words that are left out."""
        for word, rows in words.items():
            label = self._resolve(word)
            if label not in LABEL_VALUES and not self._words.leaves_out(label):
                self._unknown[label] += rows

    def _resolve(self, word: str | None) -> str:
        """The label that a word means, or the word itself; empty for a missing one."""
        return "" if word is None or self._words.is_missing(word) else self._words.resolve(word)

    def describe(self) -> list[str]:
        """The evaluation in lines: rows without a known label, then accuracy and macro-F1 with 95 % intervals."""
        if not self._labels:
            return []
        lines = [f"evaluation: {self._describe_unknown()}"] if self._unknown else []
        import numpy as np

        labels, answers = (np.concatenate(each).astype(np.int64) for each in (self._labels, self._answers))
        trained = np.concatenate(self._trained)
        lines.append(
            f"evaluation: {_format_metrics(labels, answers)}; the model was trained on {trained.sum():,} of them"
        )
        if 0 < trained.sum() < len(labels):
            lines.append(f"evaluation without these: {_format_metrics(labels[~trained], answers[~trained])}")
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
        listed = list_some([*([f"{empty:,} empty"] if empty else []), *shown])
        return f"{count(rows, 'row')} without a known label ({listed}); --label-map gives the meaning of words"


def _format_metrics(labels: "NDArray[np.int64]", answers: "NDArray[np.int64]") -> str:
    from learning.study.metrics import measure
    from reporting.verdict import format_with_bounds

    figures = measure(labels, answers, None)
    accuracy = format_with_bounds(figures.accuracy, figures.accuracy_low, figures.accuracy_high)
    macro_f1 = format_with_bounds(figures.macro_f1, figures.macro_f1_low, figures.macro_f1_high)
    return f"accuracy {accuracy}, macro-F1 {macro_f1} on {len(labels):,} labelled rows"
