"""A source is recognised by its content, and its texts come out as they were."""

import pytest

from ingestion.ingest import read_source
from schemas.source import DataSettings

ROWS = [("Profit rose", "positive"), ('Costs, "as ever", rose', "negative"), ("AGM on 5 May", "neutral")]
SNAPSHOT = "cc1be82df9713dc5"  # a warehouse holds such ids: whatever changes this one orphans them

COLUMNS_IN_ANY_ORDER = """Sentiment,ID,News-Headline
positive,1,Profit rose
negative,2,"Costs, ""as ever"", rose"
neutral,3,AGM on 5 May
"""
JSON_LINES = r"""{"label": "positive", "text": "Profit rose"}

{"text": "Costs, \"as ever\", rose", "label": "negative", "n": 2}
{"text": "AGM on 5 May", "label": "neutral"}
"""


def accepted(ingestion):
    return list(zip(ingestion.accepted["text"], ingestion.accepted["label"], strict=True))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('text,label\nProfit rose,positive\n"Costs, ""as ever"", rose",negative\nAGM on 5 May,neutral\n', "csv"),
        (COLUMNS_IN_ANY_ORDER, "csv"),
        ('TEXT\tLABEL\nProfit rose\tpositive\nCosts, "as ever", rose\tnegative\nAGM on 5 May\tneutral', "tsv"),
        ('sentence;class\nProfit rose;positive\nCosts, "as ever", rose;negative\n\nAGM on 5 May;neutral\n', "csv"),
        ('positive,"Profit rose"\rnegative,"Costs, ""as ever"", rose"\rneutral,"AGM on 5 May"\r', "csv"),
        ('Profit rose,POSITIVE\r\n"Costs, ""as ever"", rose", negative \r\nAGM on 5 May,Neutral\r\n', "csv"),
        (
            'Profit rose@positive\r\nCosts, "as ever", rose@negative\r\nAGM on 5 May@neutral\r\n',
            "financial-phrasebank text",
        ),
        (JSON_LINES, "json lines"),
    ],
)
def test_one_set_of_headlines_whatever_its_format(read, content, kind):
    ingestion = read(content)
    assert accepted(ingestion) == ROWS
    assert ingestion.kind == kind
    assert ingestion.rows_read == 3
    assert ingestion.rejected.empty
    assert ingestion.snapshot_id == SNAPSHOT


def test_line_ends_and_quotes_inside_a_quoted_text_survive_and_are_the_same_on_every_system(read):
    ingestion = read('text,label\r\n"Profit\r\nrose\n""a lot""\ragain  twice",positive\r\n')
    assert accepted(ingestion) == [('Profit\nrose\n"a lot"\ragain  twice', "positive")]


def test_other_line_separators_of_unicode_end_no_line(read):
    ingestion = read("Profit\u2028rose\x85a lot@positive\nAGM@neutral\n")
    assert accepted(ingestion) == [("Profit\u2028rose\x85a lot", "positive"), ("AGM", "neutral")]


def test_a_text_is_split_from_its_label_at_the_last_at_sign(read):
    assert accepted(read("Mail ir@example.com for 10 @ 5@neutral\n")) == [("Mail ir@example.com for 10 @ 5", "neutral")]


def test_columns_given_by_name_win_over_known_names(read):
    content = "text,label,Body,verdict\nwrong,neutral,Profit rose,positive\n"
    ingestion = read(content, text_column="body", label_column="Verdict")
    assert accepted(ingestion) == [("Profit rose", "positive")]


def test_words_of_another_vocabulary_go_through_the_label_map(read):
    label_map = {"Bullish": "positive", "0": "negative"}
    ingestion = read("text,label\nProfit rose, bullish\nCosts rose,0\nAGM,Neutral\n", label_map=label_map)
    assert list(ingestion.accepted["label"]) == ["positive", "negative", "neutral"]


def test_numeric_labels_of_json_lines_go_through_the_label_map(read):
    label_map = {"0": "negative", "2": "positive"}
    ingestion = read('{"text": "Profit rose", "label": 2}\n{"text": "Costs rose", "label": 0}\n', label_map=label_map)
    assert list(ingestion.accepted["label"]) == ["positive", "negative"]


def test_the_embedded_headlines_are_marked_as_synthetic():
    ingestion = read_source(DataSettings(source="embedded"))
    assert (ingestion.source, ingestion.kind) == ("embedded (synthetic)", "embedded")
    assert ingestion.synthetic
    assert ingestion.rejected.empty
    assert ingestion.rows_read == len(ingestion.accepted) == 6_000


def test_a_file_is_shown_by_its_name_and_is_not_synthetic(read):
    ingestion = read("text,label\nProfit rose,positive\n")
    assert ingestion.source == "file"
    assert not ingestion.synthetic
