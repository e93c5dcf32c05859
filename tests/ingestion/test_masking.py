"""Links, mentions, case and damage make no difference to the group of a headline, and its text stays as it is."""

import html
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.grammar import generate_headline
from ingestion.masking import mask_texts

POSTS = """text,label
Northwind agrees merger terms with Castell https://t.co/aB3dE5fG7h,neutral
Northwind agrees merger terms with Castell https://t.co/Zy9xW8vU7t,positive
$OILX: Weekly settlement table https://t.co/q1w2e3r4t5,neutral
$oilx: Weekly settlement table https://t.co/p0o9i8u7y6,neutral
RT @deskwire: Ruritania central bank cuts its rate https://t.co/m1n2b3v4c5,positive
Ruritania central bank cuts its rate https://t.co/x9c8v7b6n5 @someone,positive
"""
COPIES = [
    "Castell & Söhne raises its outlook",
    "CASTELL & SÖHNE RAISES ITS OUTLOOK",
    "Castell & Söhne raises its outlook https://t.co/a1",
    "Castell & Söhne raises its outlook: www.example.com/news?id=7",
    "Castell & Söhne raises its outlook bit.ly/2xY",
    "Castell & Söhne raises its outlookhttps://t.co/a1",
    "RT @wire: Castell & Söhne raises its outlook",
    "RT Castell & Söhne raises its outlook",
    "RT @a: RT @b: Castell & Söhne raises its outlook @c @d",
    "Castell & Söhne raises its outlook (via @wire) - https://t.co/b2",
    "Castell & Söhne raises its outlook #stocks #DAX https://t.co/c3 #news",
    "#Castell & Söhne raises #its outlook",
    "$Castell & Söhne raises its outlook",
    "Castell &amp; S&ouml;hne raises its outlook",
    "Castell &amp;amp; Söhne raises its outlook",
    "Castell & SÃ¶hne raises its outlook",
    "Castell & SÃƒÂ¶hne raises its outlook",
    "Castell & S\u00adöhne raises\u200b its outlook\ufeff",
]
APART = [
    ("Bullish on #AAPL", "Bullish on #TSLA"),
    ("https://t.co/a", "https://t.co/b"),
    ("@one", "@two"),
    ("#one", "#two"),
    ("Profit rose at @Castell", "Profit fell at @Castell"),
    ("AT&T rose", "AT rose"),
    ("Talks of U.S./China", "Talks of U.S./Japan"),
    ("Ask ir@castell.example today", "Ask ir@northwind.example today"),
]
SOUND = [
    "Lucro da Petrobrás cai à metade; AÇÃO não reage",
    "日経平均株価",
    "Прибыль выросла",
    "R&D; M&A",
    "bought @ par",
]


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_has_the_mask_of_its_original(copy):
    original, masked = mask_texts([COPIES[0], copy])
    assert masked == original


@pytest.mark.parametrize("pair", APART)
def test_texts_with_different_content_have_different_masks(pair):
    assert len(set(mask_texts(pair))) == 2


@pytest.mark.parametrize("text", SOUND)
def test_a_text_without_decorations_is_only_put_in_lower_case(text):
    assert mask_texts([text]) == [text.lower()]


def as_mojibake(text):
    return text.encode().decode("latin-1")


DECORATIONS = st.lists(
    st.sampled_from(
        [
            lambda text: f"{text} https://t.co/Ab1",
            lambda text: f"RT @wire: {text}",
            lambda text: f"{text} @wire",
            lambda text: f"{text} #stocks #fx",
            lambda text: text.replace("&", "&amp;"),
            str.upper,
        ]
    ),
    max_size=4,
)


@given(st.integers(0, 5_000), DECORATIONS, st.booleans())
def test_any_headline_keeps_its_mask_under_any_decorations(seed, decorations, is_damaged):
    headline = generate_headline(Random(seed)).text
    copy = f"{headline} for Söhne"
    original, changed = copy, as_mojibake(copy) if is_damaged else copy
    for decorate in decorations:
        changed = decorate(changed)
    if is_damaged and str.upper in decorations:
        return  # capitals of mojibake are other characters
    one, other = mask_texts([original, changed])
    assert one == other


def test_posts_that_differ_in_their_links_are_grouped_and_keep_their_texts(read):
    accepted = read(POSTS).accepted
    groups = accepted["group_id"].tolist()
    assert [groups.index(group) for group in groups] == [0, 0, 2, 2, 4, 4]
    assert accepted["text"].tolist() == [line.rpartition(",")[0] for line in POSTS.splitlines()[1:]]
    assert Counter(accepted["copies"]) == {1: 6}


def test_html_entities_of_every_form_are_one_group(read):
    text = "Castell & Söhne's profit > forecast"
    rows = [text, html.escape(text), html.escape(html.escape(text)), html.escape(text).replace("&#x27;", "&#39;")]
    accepted = read("text\tlabel\n" + "".join(f"{row}\tpositive\n" for row in rows)).accepted
    assert len(accepted) == 4
    assert accepted["group_id"].nunique() == 1
