"""Baselines: each learns only from the train part, answers with known labels, and is as accurate as before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from learning.baselines.evaluation import evaluate_baseline, fit_baseline
from learning.baselines.kind import Answers, BaselineKind, Train
from learning.baselines.registry import find_kind, plan_baselines
from learning.study.evaluation import LabelledPart
from schemas.errors import InputError
from schemas.evaluation import BaselineSettings
from schemas.label import LABELS as ALL_LABELS
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile

EMBEDDINGS = "sentence embeddings + logistic regression"
MAJORITY, LEXICON, SVM = "majority class", "finance lexicon", "TF-IDF + linear SVM"
LOGISTIC, BAYES = "TF-IDF + logistic regression", "TF-IDF + naive Bayes"
NETWORK, FOREST, ENSEMBLE = "TF-IDF + neural network", "TF-IDF + random forest", "soft-voting ensemble"
PROBABLE = [LOGISTIC, BAYES, NETWORK, FOREST]
WITH_PROBABILITIES = [EMBEDDINGS, *PROBABLE, ENSEMBLE]
LEARNED = [MAJORITY, SVM, EMBEDDINGS, *PROBABLE]
ALL = [*LEARNED, LEXICON]
TEXTS = [f"{company} {verb} ." for verb in ("fell", "met", "rose") for company in ("Nordvik", "Kivavera", "Orimer")]
LABELS = np.repeat([0, 1, 2], 3)


@pytest.fixture
def answer(tiny_encoder: Path) -> Any:
    """Fits a baseline and returns its answers."""

    def run(
        name: str, labels: NDArray[np.int64], texts: list[str], train: list[str] = TEXTS, seed: int = 42
    ) -> Answers:
        return find_kind(name).fit(Train(train, labels, seed, tiny_encoder))(texts)

    return run


@pytest.mark.parametrize("commonest", [0, 1, 2])
def test_the_majority_class_is_the_answer_for_every_headline(answer: Any, commonest: int) -> None:
    labels = np.where(np.arange(9) < 5, commonest, LABELS)
    assert answer(MAJORITY, labels, ["anything", "", "else"]).labels.tolist() == [commonest] * 3


def test_the_lexicon_needs_no_train_part(answer: Any) -> None:
    texts = ["Profit fell", "The meeting is on 5 May", "Profit rose"]
    for labels in (LABELS, LABELS[::-1]):
        assert answer(LEXICON, labels, texts).labels.tolist() == [0, 1, 2]


def test_the_lexicon_answers_the_commonest_class_in_place_of_one_that_train_lacks(answer: Any) -> None:
    labels, texts = np.repeat([0, 2], [5, 4]), ["Profit fell", "The meeting is on 5 May", "Profit rose"]
    assert answer(LEXICON, labels, texts).labels.tolist() == [0, 0, 2]


@pytest.mark.parametrize("name", [SVM, EMBEDDINGS, *PROBABLE])
def test_a_classifier_learns_which_word_means_which_label(answer: Any, name: str) -> None:
    assert answer(name, LABELS, TEXTS).labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("name", [SVM, *PROBABLE, ENSEMBLE])
def test_a_classifier_labels_headlines_that_it_has_not_seen(answer: Any, name: str) -> None:
    assert answer(name, LABELS, ["Talwell fell .", "Talwell met .", "Talwell rose ."]).labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", [SVM, *WITH_PROBABILITIES])
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
def test_a_train_part_without_any_word_still_gives_labels(answer: Any, name: str, text: str) -> None:
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
def test_there_is_one_label_number_per_headline(answer: Any, name: str) -> None:
    answers = answer(name, LABELS, TEXTS)
    assert answers.labels.shape == (len(TEXTS),)
    assert np.issubdtype(answers.labels.dtype, np.integer)
    assert (answers.probabilities is None) == (name not in WITH_PROBABILITIES)


@pytest.mark.parametrize("name", WITH_PROBABILITIES)
def test_the_labels_follow_from_the_probabilities(answer: Any, name: str) -> None:
    answers = answer(name, LABELS, ["Talwell rose .", "Talwell fell", "else"])
    assert answers.probabilities.shape == (3, 3)
    np.testing.assert_allclose(answers.probabilities.sum(axis=1), 1)
    assert answers.probabilities.argmax(axis=1).tolist() == answers.labels.tolist()


@pytest.mark.parametrize("name", ALL)
def test_an_answer_does_not_depend_on_the_other_headlines(answer: Any, name: str) -> None:
    texts = ["Talwell rose .", "Profit fell", "Orimer met and met again ."]
    together = answer(name, LABELS, texts)
    alone = [answer(name, LABELS, [text]) for text in texts]
    assert together.labels.tolist() == [one.labels.item() for one in alone]
    if together.probabilities is not None:
        np.testing.assert_allclose(together.probabilities, np.vstack([one.probabilities for one in alone]), atol=1e-5)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^baselines\.names: 'coin' is no baseline; there are all, default, TF-IDF \+ linear SVM, "
    ):
        find_kind("coin")
    with pytest.raises(InputError, match="did you mean 'finance lexicon'"):
        plan_baselines(BaselineSettings(names=("finance lexicons",)))
    with pytest.raises(InputError, match=r"needs an encoder; leave it out and set baselines\.embedding_model"):
        plan_baselines(BaselineSettings(names=(EMBEDDINGS,)))


DEFAULT = [MAJORITY, LEXICON, SVM]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("default", DEFAULT),
        ("all", [*DEFAULT, *PROBABLE, ENSEMBLE]),
        (["default", FOREST, SVM], [*DEFAULT, FOREST]),
        ([FOREST, "default"], [FOREST, *DEFAULT]),
        (LEXICON, [LEXICON]),
        ([], []),
    ],
)
def test_default_and_all_name_several_baselines_each_of_which_runs_once(names: Any, chosen: list[str]) -> None:
    assert [plan.name for plan in plan_baselines(BaselineSettings(names=names))] == chosen


def test_default_names_the_baselines_that_run_without_the_setting() -> None:
    assert plan_baselines(BaselineSettings(names="default")) == plan_baselines(BaselineSettings())


def test_the_ensemble_is_the_mean_of_the_three_that_are_best_on_other_folds(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from learning.baselines.kinds import voting_ensemble

    def make_candidate(right: str, probability: float) -> BaselineKind:
        """A baseline that is right about headlines with this word and wrong about others, always equally sure."""
        row = np.array([probability, (1 - probability) / 2, (1 - probability) / 2])

        def fit(_: Train) -> Any:
            def reply(texts: list[str]) -> Answers:
                probabilities = np.array([row if right in text else row[::-1] for text in texts])
                return Answers(probabilities.argmax(axis=1), probabilities)

            return reply

        return BaselineKind(right, 1, fit)

    kinds = (
        make_candidate("nothing", 0.9),
        make_candidate("fell", 0.8),
        make_candidate("fell", 0.7),
        make_candidate("fell", 0.6),
    )
    monkeypatch.setattr(voting_ensemble, "CANDIDATES", kinds)
    [probabilities] = answer(ENSEMBLE, LABELS, ["Talwell fell ."]).probabilities
    np.testing.assert_allclose(probabilities, [0.7, 0.15, 0.15])


@pytest.mark.parametrize("size", [1, 2])
def test_no_fold_of_the_ensemble_has_a_near_copy_of_what_was_fitted(size: int) -> None:
    from learning.baselines.kinds.voting_ensemble import split_folds

    texts, labels = [f"{text} {number}" for number in range(4) for text in TEXTS], np.tile(LABELS, 4)
    groups = np.array([f"group {(row // 3) // size}" for row in range(36)])
    train = Train(texts, labels, 42, groups=groups.tolist())
    folds = list(split_folds(train))
    assert sorted(row for _, judged in folds for row in judged) == list(range(36))
    for fitted, judged in folds:
        assert set(groups[fitted]) & set(groups[judged]) == set()
        assert set(train.take(fitted).groups) == set(groups[fitted])


@pytest.mark.parametrize("labels", [np.zeros(9, dtype=int), LABELS])
def test_an_ensemble_with_too_few_groups_for_folds_still_answers(labels: NDArray[np.int64]) -> None:
    train = Train(TEXTS, labels, 42, groups=[f"group {label}" for label in labels])
    assert find_kind(ENSEMBLE).fit(train)(TEXTS).labels.tolist() == labels.tolist()


@pytest.mark.parametrize("name", ALL)
def test_a_fitted_baseline_reports_its_time_and_size(name: str, tiny_encoder: Path) -> None:
    few, many = (
        fit_baseline(name, make_part("train", texts), 42, tiny_encoder)
        for texts in (TEXTS, [f"{text} {number}" for number in range(100, 130) for text in TEXTS])
    )
    assert many.train_seconds > 0
    assert few.size_bytes > 0
    if name in (SVM, LOGISTIC, BAYES, NETWORK):
        assert many.size_bytes > few.size_bytes
    if name == EMBEDDINGS:
        assert few.size_bytes > (tiny_encoder / "model.safetensors").stat().st_size


def make_part(name: str, texts: list[str]) -> LabelledPart:
    labels = tuple(ALL_LABELS[number % 3].value for number in range(len(texts)))
    return LabelledPart(name, tuple(f"{name} {number}" for number in range(len(texts))), tuple(texts), labels)


@pytest.mark.parametrize("name", ALL)
def test_a_baseline_is_fitted_only_to_train(name: str, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from learning.baselines import evaluation

    fitted: list[list[str]] = []

    def fit(train: Train) -> Any:
        fitted.append(list(train.texts))
        return find_kind(name).fit(train)

    monkeypatch.setattr(evaluation, "find_kind", lambda name: BaselineKind(name, 1, fit))
    train = make_part("train", TEXTS)
    validation, test = make_part("validation", ["Talwell rose ."] * 4), make_part("test", ["Profit fell", "else"])
    answer = fit_baseline(name, train, 42, tiny_encoder).answer
    together, [alone] = evaluate_baseline(answer, [validation, test]), evaluate_baseline(answer, [test])
    assert fitted == [TEXTS]
    assert together[1].outcomes.tolist() == alone.outcomes.tolist()


@pytest.mark.parametrize("name", ALL)
def test_probabilities_are_reported_only_for_baselines_that_have_them(name: str, tiny_encoder: Path) -> None:
    part = make_part("test", ["Profit fell", "else", "Talwell rose ."])
    [result] = evaluate_baseline(fit_baseline(name, make_part("train", TEXTS), 42, tiny_encoder).answer, [part])
    assert result.temperature is None
    assert result.metrics.unparsed_rate == 0
    if name in WITH_PROBABILITIES:
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
    from operations.known_sources import read_whole
    from operations.splitting import draw_parts

    source = f"data.source={fpb_folder / 'FinancialPhraseBank-v1.0.zip'}"
    config = build_config(apply_overrides(load_profile("paper"), [source]))
    headlines = read_whole(find_source(config.data), config.data).accepted
    rows = headlines.set_index("headline_id")
    return {
        part: LabelledPart(part, tuple(ids), tuple(rows.loc[ids, "text"]), tuple(rows.loc[ids, "label"]))
        for part, ids in draw_parts(headlines, config.split, config.data.near_duplicates).items()
    }


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [(MAJORITY, 1 / 3, 1 / 3), (SVM, 0.68, 0.74), (LEXICON, 0.6, 0.9), (LOGISTIC, 0.68, 0.72), (BAYES, 0.62, 0.65)],
)
def test_on_the_papers_test_part_a_baseline_has_its_known_accuracy(
    paper_parts: dict[str, LabelledPart], name: str, low: float, high: float
) -> None:
    assert [len(paper_parts[part].texts) for part in ("train", "test")] == [900, 900]
    [result] = evaluate_baseline(fit_baseline(name, paper_parts["train"], 42).answer, [paper_parts["test"]])
    assert low <= result.metrics.accuracy <= high
