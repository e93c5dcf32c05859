"""Masked texts, by which near copies are found: texts without the details in which copies of a headline differ.

Masking covers case, numbers, links, @mentions, the `RT` of a retweet, the signs of cashtags and hashtags, trailing
hashtags, invisible characters, HTML entities and mojibake. The text of a headline itself is never changed.

Patterns are in RE2's syntax, because Arrow applies each to all texts at once, in time linear in their length.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ingestion.damage import MAY_BE_MOJIBAKE, decode_entities, repair_text
from ingestion.identity import normalise_text

LEAST_WORDS = 4
"""Words that must precede trailing hashtags for these to be left out: in `Bullish on #AAPL` they are the message."""

_INVISIBLE = "[\u00ad\u200b-\u200f\u2060\ufe0f\ufeff]"
_ENTITY = r"&#?\w+;"

_MAY_DIFFER = rf"[@#$]\w|://|www\.|[A-Za-z]\.[A-Za-z]+/\S|^RT\b|{_INVISIBLE}"
"""Matches each text that `_LEFT_OUT` changes, and few others."""

_BEFORE = r"(^|[^\pL\pN_])"
_LEFT_OUT = (
    (_INVISIBLE, ""),
    (r"(?i)(https?://|www\.|pic\.twitter\.com/)\S+", " "),
    (r"(?i)(^|[^\pL\pN_.@-])([a-z0-9-]+\.)+[a-z]+/\S*", r"\1 "),
    (rf"(?i){_BEFORE}(?:(?:rt|mt|qt|via|h/?t|cc)[ :]{{0,2}})?@\d*[a-z_]\w*:?", r"\1 "),
    (r"\(\s*\)|\[\s*\]", " "),
    (r"^\s+|\s+$", ""),
    (r"\s+", " "),
    (r"^(RT\b:? ?)+", ""),
    (rf"^((?:\S+ ){{{LEAST_WORDS - 1}}}\S.*?)(?: #\S+)+$", r"\1"),
    (rf"{_BEFORE}(?:\$(\pL)|#([\pL\pN_]))", r"\1\2\3"),
    ("^[ .:|>\u00b7\u2022\u2013\u2014\u2026-]+|[ :|>\u00b7\u2022\u2013\u2014\u2026-]+$", ""),
)
"""Patterns and their replacements, in order: links, mentions, retweet marks, trailing hashtags, signs, ends."""

_NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)*"


def mask_texts(texts: Sequence[str]) -> list[str]:
    """The texts by which near copies are compared: in lower case, each number as `0`, and without such details.

    A text that would lose every word, such as one that is only a link, keeps all its words.

    Args:
        texts: Normalised texts; passing all at once takes a fraction of the time.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(texts, pa.large_string())
    array = _change(array, f"{_ENTITY}|{MAY_BE_MOJIBAKE}|{_MAY_DIFFER}", _simplify)
    return list(pc.replace_substring_regex(pc.utf8_lower(array), pattern=_NUMBER, replacement="0").to_pylist())


def _change(texts: Any, pattern: str, change: Any) -> Any:
    """The Arrow array, with `change` applied to the texts in which a pattern is found."""
    import pyarrow.compute as pc

    found = pc.match_substring_regex(texts, pattern=pattern)
    some = texts.filter(found)
    return pc.replace_with_mask(texts, found, change(some)) if len(some) else texts


def _simplify(texts: Any) -> Any:
    texts = _change(texts, _ENTITY, _each(decode_entities))
    texts = _change(texts, MAY_BE_MOJIBAKE, _each(repair_text))
    return _change(texts, _MAY_DIFFER, _leave_out)


def _each(repair: Callable[[str], str]) -> Callable[[Any], Any]:
    import pyarrow as pa

    def change(texts: Any) -> Any:
        return pa.array([normalise_text(repair(text)) for text in texts.to_pylist()], pa.large_string())

    return change


def _leave_out(texts: Any) -> Any:
    import pyarrow.compute as pc

    bare = texts
    for pattern, replacement in _LEFT_OUT:
        bare = pc.replace_substring_regex(bare, pattern=pattern, replacement=replacement)
    return pc.if_else(pc.match_substring_regex(bare, pattern=r"[\pL\pN]"), bare, texts)
