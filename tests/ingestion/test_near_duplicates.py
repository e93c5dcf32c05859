"""Near copies are found whatever their order: numbers and case masked, and agency copy that was reworded."""

import re
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from benchmarks.corpus import iterate_rows
from ingestion.identity import normalise_text
from ingestion.masking import mask_texts
from ingestion.near_duplicates import LEAST_SIMILARITY, group_near_copies, match_near_copies

REWORDED = [
    (
        "Nokia's net profit rose to EUR 3.1 mn in the third quarter .",
        "In the third quarter Nokia's net profit rose to EUR 2 mn",
    ),
    ("Finnish Metso wins an order from a Brazilian pulp mill", "Finnish Metso wins order from a Brazilian pulp mill"),
    ("The value of the contract is about EUR 27 mn .", "The value of the contracts is about EUR 3.3 mn ."),
    ("aaaa bbbb cccc dd ee", "aaaa bbbb cccc dd xy"),  # similar by 90 per cent, the least that counts
]
UNLIKE = [
    ("Operating profit rose to EUR 4.7 mn .", "Operating loss fell sharply to EUR 38 mn in 2007 ."),
    ("Profit rose", "Profit fell"),
    ("🚀", "📉"),
    ("!!!", "???"),
]


def group(texts, measure="reworded"):
    return group_near_copies(texts, measure).tolist()


@pytest.mark.parametrize("pair", REWORDED)
def test_reworded_copies_are_one_group_and_two_if_only_numbers_are_masked(pair):
    assert len(set(group(pair))) == 1
    assert len(set(group(pair, "numbers"))) == 2


@pytest.mark.parametrize("pair", UNLIKE)
def test_what_is_merely_alike_is_not_a_copy(pair):
    assert len(set(group(pair))) == 2


@pytest.mark.parametrize("measure", ["numbers", "reworded"])
def test_numbers_and_case_make_no_difference(measure):
    texts = ["Profit rose 3.1 % to 1,200", "PROFIT rose 45 % to 7", "Profit rose % to"]
    assert group(texts, measure)[:2] == [0, 0]
    assert group(texts, "numbers")[2] != 0


@pytest.mark.parametrize("measure", ["numbers", "reworded"])
def test_two_lists_match_where_a_pair_is_one_group(measure):
    texts = [text for pair in REWORDED + UNLIKE for text in pair]
    one_group = [[len(set(group([text, other], measure))) == 1 for other in texts[1:]] for text in texts]
    assert match_near_copies(texts, texts[1:], measure).tolist() == one_group


def test_one_text_is_one_group_and_no_text_is_none():
    assert group(["Profit rose"]) == [0]
    assert group([]) == []


def test_chains_are_one_group():
    words = [sign * 4 for sign in "abcdefghijklmnopqrstuvwxyzåäö"]
    texts = [" ".join(words[start : start + 23]) for start in range(6)]
    assert len(set(group(texts))) == 1
    assert len(set(group([texts[0], texts[5]]))) == 2


headlines = st.lists(st.sampled_from([text for text, _, _ in iterate_rows(300, seed=3)]), unique=True, max_size=60)


@given(headlines, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order(texts, random):
    shuffled = random.sample(texts, len(texts))
    by_text = dict(zip(shuffled, group(shuffled), strict=True))
    groups = {frozenset(t for t, g in zip(texts, group(texts), strict=True) if g == number) for number in group(texts)}
    assert groups == {frozenset(t for t in shuffled if by_text[t] == number) for number in by_text.values()}


def all_similar_pairs(texts):
    """By brute force: every pair whose sorted words agree."""
    masked = mask_texts([normalise_text(text) for text in texts])
    words = [" ".join(sorted(re.findall(r"\w+", text))) for text in masked]
    pairs = ((one, other) for one in range(len(words)) for other in range(one))
    return [(a, b) for a, b in pairs if fuzz.ratio(words[a], words[b], score_cutoff=LEAST_SIMILARITY)]


def test_what_brute_force_finds_is_found():
    texts = [text for text, _, kind in iterate_rows(1_500, seed=5) if kind != "broken"]
    pairs, groups = all_similar_pairs(texts), np.asarray(group(texts))
    assert len(pairs) > 50
    assert all(groups[one] == groups[other] for one, other in pairs)


def test_the_phrasebanks_near_copies_are_found(fpb_folder):
    with zipfile.ZipFile(fpb_folder / "FinancialPhraseBank-v1.0.zip") as archive:
        content = archive.read("FinancialPhraseBank-v1.0/Sentences_50Agree.txt").decode("iso-8859-1")
    texts = [line.rpartition("@")[0] for line in content.splitlines()]
    by_numbers, by_words = np.bincount(group(texts, "numbers")), np.bincount(group(texts))
    assert (by_numbers > 1).sum() == 30
    assert (by_words > 1).sum() > 100
    assert by_words.max() < 20
