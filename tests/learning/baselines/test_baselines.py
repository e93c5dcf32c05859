"""Baselines: each learns from train alone, answers with labels that there are, and is as good as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from learning.baselines.evaluation import evaluate_baseline
from learning.baselines.kind import Answers, BaselineKind, Train
from learning.baselines.registry import find_kind, plan_baselines
from learning.study.evaluation import LabelledPart
from schemas.config import BaselineSettings
from schemas.errors import InputError
from schemas.label import LABELS as ALL_LABELS
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile

EMBEDDINGS = "sentence embeddings + logistic regression"
MAJORITY, LEXICON, SVM = "majority class", "finance lexicon", "TF-IDF + linear SVM"
LEARNED = [MAJORITY, SVM, EMBEDDINGS]
ALL = [*LEARNED, LEXICON]
TEXTS = [f"{company} {verb} ." for verb in ("fell", "met", "rose") for company in ("Nordvik", "Kivavera", "Orimer")]
LABELS = np.repeat([0, 1, 2], 3)


@pytest.fixture
def answer(tiny_encoder: Path) -> Any:
    """Fits a baseline and lets it answer."""

    def run(
        name: str, labels: NDArray[np.int64], texts: list[str], train: list[str] = TEXTS, seed: int = 42
    ) -> Answers:
        return find_kind(name).fit(Train(train, labels, seed, tiny_encoder))(texts)

    return run


@pytest.mark.parametrize("commonest", [0, 1, 2])
def test_the_majority_class_is_said_of_every_headline(answer: Any, commonest: int) -> None:
    labels = np.where(np.arange(9) < 5, commonest, LABELS)
    assert answer(MAJORITY, labels, ["anything", "", "else"]).labels.tolist() == [commonest] * 3


def test_the_lexicon_needs_no_train_part(answer: Any) -> None:
    texts = ["Profit fell", "The meeting is on 5 May", "Profit rose"]
    for labels in (LABELS, LABELS[::-1]):
        assert answer(LEXICON, labels, texts).labels.tolist() == [0, 1, 2]


def test_the_lexicon_says_the_commonest_class_for_one_that_is_not_there(answer: Any) -> None:
    labels, texts = np.repeat([0, 2], [5, 4]), ["Profit fell", "The meeting is on 5 May", "Profit rose"]
    assert answer(LEXICON, labels, texts).labels.tolist() == [0, 0, 2]


@pytest.mark.parametrize("name", [SVM, EMBEDDINGS])
def test_what_learns_finds_which_word_means_what(answer: Any, name: str) -> None:
    assert answer(name, LABELS, TEXTS).labels.tolist() == LABELS.tolist()


def test_the_svm_tells_headlines_that_it_has_not_seen(answer: Any) -> None:
    assert answer(SVM, LABELS, ["Talwell fell .", "Talwell met .", "Talwell rose ."]).labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", [SVM, EMBEDDINGS])
def test_two_classes_are_enough_and_keep_their_numbers(answer: Any, name: str) -> None:
    labels = np.where(LABELS == 1, 2, LABELS)
    answers = answer(name, labels, TEXTS)
    assert 1 not in answers.labels
    if answers.probabilities is None:
        assert answers.labels.tolist() == labels.tolist()
    else:
        assert answers.probabilities[:, 1].tolist() == [0.0] * 9


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_train_part_of_one_class_gives_that_class(answer: Any, name: str, label: int) -> None:
    assert answer(name, np.full(9, label), ["Talwell fell .", ""]).labels.tolist() == [label, label]


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("text", ["!", "a", "? 1", "\u3000", ""])
def test_a_train_part_without_any_word_gives_labels_all_the_same(answer: Any, name: str, text: str) -> None:
    answers = answer(name, LABELS, ["Talwell fell .", text], train=[text] * 9)
    assert set(answers.labels.tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("name", ALL)
def test_a_seed_gives_the_same_answers_again(answer: Any, name: str) -> None:
    texts = ["Talwell rose and fell .", "no word of it", ""]
    first, again = (answer(name, LABELS, texts) for _ in range(2))
    assert first.labels.tolist() == again.labels.tolist()
    if first.probabilities is not None:
        np.testing.assert_allclose(first.probabilities, again.probabilities, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_there_is_one_label_number_a_headline(answer: Any, name: str) -> None:
    answers = answer(name, LABELS, TEXTS)
    assert answers.labels.shape == (len(TEXTS),)
    assert np.issubdtype(answers.labels.dtype, np.integer)
    assert (answers.probabilities is None) == (name != EMBEDDINGS)


def test_embeddings_give_probabilities_that_the_labels_follow_from(answer: Any) -> None:
    answers = answer(EMBEDDINGS, LABELS, ["Talwell rose .", "Talwell fell", "else"])
    assert answers.probabilities.shape == (3, 3)
    np.testing.assert_allclose(answers.probabilities.sum(axis=1), 1)
    assert answers.probabilities.argmax(axis=1).tolist() == answers.labels.tolist()


@pytest.mark.parametrize("name", ALL)
def test_a_headline_is_judged_alone(answer: Any, name: str) -> None:
    texts = ["Talwell rose .", "Profit fell", "Orimer met and met again ."]
    together = answer(name, LABELS, texts)
    alone = [answer(name, LABELS, [text]) for text in texts]
    assert together.labels.tolist() == [one.labels.item() for one in alone]
    if together.probabilities is not None:
        np.testing.assert_allclose(together.probabilities, np.vstack([one.probabilities for one in alone]), atol=1e-5)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"^baselines\.names: 'coin' is no baseline; there are TF-IDF \+ linear SVM, "):
        find_kind("coin")
    with pytest.raises(InputError, match="did you mean 'finance lexicon'"):
        plan_baselines(BaselineSettings(names=("finance lexicons",)))
    with pytest.raises(InputError, match=r"needs an encoder; leave it out and set baselines\.embedding_model"):
        plan_baselines(BaselineSettings(names=(EMBEDDINGS,)))


def make_part(name: str, texts: list[str]) -> LabelledPart:
    labels = tuple(ALL_LABELS[number % 3].value for number in range(len(texts)))
    return LabelledPart(name, tuple(f"{name} {number}" for number in range(len(texts))), tuple(texts), labels)


@pytest.mark.parametrize("name", ALL)
def test_nothing_but_train_is_fitted_to(name: str, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from learning.baselines import evaluation

    fitted: list[list[str]] = []

    def fit(train: Train) -> Any:
        fitted.append(list(train.texts))
        return find_kind(name).fit(train)

    monkeypatch.setattr(evaluation, "find_kind", lambda name: BaselineKind(name, 1, fit))
    train = make_part("train", TEXTS)
    validation, test = make_part("validation", ["Talwell rose ."] * 4), make_part("test", ["Profit fell", "else"])
    together = evaluate_baseline(name, train, [validation, test], 42, tiny_encoder)
    [alone] = evaluate_baseline(name, train, [test], 42, tiny_encoder)
    assert fitted == [TEXTS, TEXTS]
    assert together[1].outcomes.tolist() == alone.outcomes.tolist()


@pytest.mark.parametrize("name", ALL)
def test_only_what_has_probabilities_is_told_with_them(name: str, tiny_encoder: Path) -> None:
    part = make_part("test", ["Profit fell", "else", "Talwell rose ."])
    [result] = evaluate_baseline(name, make_part("train", TEXTS), [part], 42, tiny_encoder)
    assert result.temperature is None
    assert result.metrics.unparsed_rate == 0
    if name == EMBEDDINGS:
        assert result.probabilities.shape == (3, 4)
        np.testing.assert_allclose(result.probabilities.sum(axis=1), 1)
        right = result.probabilities[np.arange(3), part.label_numbers]
        assert result.metrics.expected_accuracy == pytest.approx(right.mean())
    else:
        assert result.probabilities is None
        assert result.metrics.expected_accuracy == result.metrics.accuracy


@pytest.fixture(scope="module")
def paper_parts(fpb_folder: Path) -> dict[str, LabelledPart]:
    """FinancialPhraseBank as the study split it."""
    from ingestion.sources import find_source
    from operations.intake import read_whole
    from operations.splitting import draw_parts

    source = f"data.source={fpb_folder / 'FinancialPhraseBank-v1.0.zip'}"
    config = build_config(apply_overrides(load_profile("paper"), [source]))
    headlines = read_whole(find_source(config.data), config.data).accepted
    rows = headlines.set_index("headline_id")
    return {
        part: LabelledPart(part, tuple(ids), tuple(rows.loc[ids, "text"]), tuple(rows.loc[ids, "label"]))
        for part, ids in draw_parts(headlines, config.split, config.data.near_duplicates).items()
    }


@pytest.mark.parametrize(("name", "low", "high"), [(MAJORITY, 1 / 3, 1 / 3), (SVM, 0.68, 0.74), (LEXICON, 0.6, 0.9)])
def test_on_the_papers_test_part_a_baseline_is_as_good_as_ever(
    paper_parts: dict[str, LabelledPart], name: str, low: float, high: float
) -> None:
    assert [len(paper_parts[part].texts) for part in ("train", "test")] == [900, 900]
    [result] = evaluate_baseline(name, paper_parts["train"], [paper_parts["test"]], 42)
    assert low <= result.metrics.accuracy <= high
