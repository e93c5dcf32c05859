"""Which texts are near copies of each other: the same except for what `ingestion.masking` leaves out, or reworded.

Reworded copies are found by MinHash over the words and locality-sensitive hashing (Broder 1997; Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, chapter 3), and each pair found is then measured: it counts if the sorted words of
the two agree by `LEAST_SIMILARITY` per cent (rapidfuzz's normalised indel similarity). The result depends only on the
set of texts, not on their order.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
import numpy.typing as npt

from ingestion.identity import normalise_text
from ingestion.masking import mask_texts

LEAST_SIMILARITY = 90.0
"""Per cent. On FinancialPhraseBank 90 joins reworded agency copy; at 85 and below, chains join unlike texts."""

BANDS = 20
ROWS_A_BAND = 3
"""Two texts that share six words in ten become a candidate pair with probability 0.99, three in ten with 0.42."""

NEIGHBOURS = 8
"""Within a bucket of the hash, a text is measured against this many next ones in the order of their sorted words."""

_PAIRS_AT_ONCE = 1_000_000
_WORD = re.compile(r"\w+")
_SEED = 20_240_624
_Integers = npt.NDArray[np.int64]


def group_near_copies(texts: Sequence[str], measure: str) -> _Integers:
    """Number the groups of texts that are near copies, directly or through others.

    Args:
        texts: N texts.
        measure: `numbers`: equal except for white space, composition and what is masked. `reworded`: also with nearly
            the same words.

    Returns:
        N group numbers, from 0.
    """
    import pandas as pd

    masked = mask_texts([normalise_text(text) for text in texts])
    groups, distinct = pd.factorize(pd.Series(masked, dtype="str"))
    if measure == "numbers":
        return groups.astype(np.int64)
    return _group_reworded([" ".join(sorted(_WORD.findall(text))) for text in distinct.tolist()])[groups]


def match_near_copies(texts: Sequence[str], others: Sequence[str], measure: str) -> npt.NDArray[np.bool_]:
    """[N, M]: whether each of N texts is a near copy of each of M others, directly; see `group_near_copies`."""
    from rapidfuzz import fuzz, process

    masked, known = (np.asarray(mask_texts([normalise_text(text) for text in group])) for group in (texts, others))
    near: npt.NDArray[np.bool_] = np.equal.outer(masked, known)
    if measure == "numbers":
        return near
    words = [[" ".join(sorted(_WORD.findall(text))) for text in group.tolist()] for group in (masked, known)]
    scores = process.cdist(*words, scorer=fuzz.ratio, score_cutoff=LEAST_SIMILARITY, dtype=np.float32, workers=-1)
    has_words = np.array([bool(text) for text in words[0]])  # a text without words is near only to an equal one
    near |= (scores >= LEAST_SIMILARITY) & has_words[:, None]
    return near


def _group_reworded(sorted_words: list[str]) -> _Integers:
    """Number the groups of texts given as their sorted words; a text without words is a group of its own."""
    order = sorted((place for place, words in enumerate(sorted_words) if words), key=sorted_words.__getitem__)
    groups = np.arange(len(sorted_words), dtype=np.int64)
    if len(order) < 2:  # noqa: PLR2004
        return groups
    places, texts = np.asarray(order), [sorted_words[place] for place in order]
    components = np.arange(len(texts), dtype=np.int64)
    for keys in _band_keys(texts):
        components = _join(components, _measure(texts, _candidates(keys, components)))
    groups[places] = places[components]
    return groups


def _band_keys(texts: list[str]) -> Iterator[npt.NDArray[np.uint64]]:
    """For each band a hash of every text; texts that share words tend to share the hash."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pc.split_pattern(pa.array(texts, pa.large_string()), " ")
    starts = words.offsets.to_numpy()[:-1]
    encoded = words.flatten().dictionary_encode()
    codes = encoded.indices.to_numpy()
    vocabulary = [zlib.crc32(word.encode()) for word in encoded.dictionary.to_pylist()]
    hashes = np.asarray(vocabulary, dtype=np.uint64)
    random = Random(_SEED)
    for _ in range(BANDS):
        keys = np.zeros(len(texts), dtype=np.uint64)
        for _ in range(ROWS_A_BAND):
            factor, offset = np.uint64(random.getrandbits(64) | 1), np.uint64(random.getrandbits(64))
            permuted = ((hashes * factor + offset) >> np.uint64(32)).astype(np.uint32)
            smallest = np.minimum.reduceat(permuted[codes], starts)
            keys = (keys ^ smallest) * np.uint64(0x9E37_79B9_7F4A_7C15)
        yield keys


def _candidates(keys: npt.NDArray[np.uint64], components: _Integers) -> tuple[_Integers, _Integers]:
    """Pairs of texts with one key that are not yet in one component, each with its next neighbours only."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    lefts, rights = [], []
    for distance in range(1, NEIGHBOURS + 1):
        left, right = order[:-distance], order[distance:]
        together = (ordered[:-distance] == ordered[distance:]) & (components[left] != components[right])
        lefts.append(left[together])
        rights.append(right[together])
    return np.concatenate(lefts), np.concatenate(rights)


def _measure(texts: list[str], pairs: tuple[_Integers, _Integers]) -> tuple[_Integers, _Integers]:
    """The pairs that are similar enough."""
    from rapidfuzz import fuzz, process

    lefts, rights = pairs
    kept = []
    for start in range(0, len(lefts), _PAIRS_AT_ONCE):
        left, right = lefts[start : start + _PAIRS_AT_ONCE], rights[start : start + _PAIRS_AT_ONCE]
        scores = process.cpdist(
            [texts[place] for place in left],
            [texts[place] for place in right],
            scorer=fuzz.ratio,
            score_cutoff=LEAST_SIMILARITY,
            dtype=np.float32,
            workers=-1,
        )
        kept.append(scores >= LEAST_SIMILARITY)
    similar = np.concatenate(kept) if kept else np.zeros(0, dtype=bool)
    return lefts[similar], rights[similar]


def _join(components: _Integers, pairs: tuple[_Integers, _Integers]) -> _Integers:
    """Components after the pairs are joined, each named by its smallest member."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count, (lefts, rights) = len(components), pairs
    if not len(lefts):
        return components
    edges = np.concatenate([lefts, np.arange(count)]), np.concatenate([rights, components])
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(count, count))
    _, labels = connected_components(graph.tocsr(), directed=False)
    _, first = np.unique(labels, return_index=True)
    return np.asarray(first[labels], dtype=np.int64)
