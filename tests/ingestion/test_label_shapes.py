"""Labels of other shapes than a word in a column: scores, a column for each label, annotators, words left out."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from ingestion.columns import MissingColumnError
from ingestion.identity import describe_reading, ingest_id
from ingestion.refusals import Account, RefusedSourceError, check_account
from schemas.columns import ReadColumns
from schemas.errors import InputError
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, check_settings, load_profile
from schemas.source import DataSettings

CASES = Path(__file__).parents[3] / "shared" / "cases"
NEWS = [
    "Northwind profit climbs",
    "Harbour Foods profit slides",
    "Castell keeps its outlook",
    "Castell names an auditor",
]


def as_csv(table):
    rows = [table.keys(), *zip(*table.values(), strict=True)]
    return "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows).encode()


def as_json(table):
    return json.dumps([dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]).encode()


def as_parquet(table):
    file = io.BytesIO()
    pq.write_table(pa.table(table), file)
    return file.getvalue()


def as_excel(table):
    workbook, file = Workbook(), io.BytesIO()
    for row in [list(table), *zip(*table.values(), strict=True)]:
        workbook.active.append(row)
    workbook.save(file)
    return file.getvalue()


WRITERS = {"csv": as_csv, "json": as_json, "parquet": as_parquet, "excel": as_excel}
every_format = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def labels_of(ingestion):
    return dict(zip(ingestion.accepted["text"], ingestion.accepted["label"], strict=True))


def refusal_of(ingestion, **settings):
    counts = (ingestion.rows_read, ingestion.rows_added, len(ingestion.accepted), len(ingestion.left_out))
    account = Account(*counts, ingestion.rejected, ingestion.columns)
    with pytest.raises(RefusedSourceError) as caught:
        check_account(account, DataSettings(source=ingestion.location, **settings))
    return caught.value


@every_format
def test_scores_become_labels_by_two_thresholds_which_are_neutral_themselves(read, write):
    table = {"headline": NEWS, "sentiment_score": [0.62, -0.48, 0.1, None]}
    ingestion = read(write(table), thresholds=(-0.1, 0.1))
    assert labels_of(ingestion) == {NEWS[0]: "positive", NEWS[1]: "negative", NEWS[2]: "neutral"}
    assert list(ingestion.rejected["reason"]) == ["no label"]
    assert ingestion.columns.label_shape == "scores, negative below -0.1 and positive above 0.1"


@pytest.mark.parametrize(("word", "label"), [("0,62", "positive"), ("-3e-1", "negative"), ("+.05", "neutral")])
def test_a_score_is_a_number_as_people_write_it(read, word, label):
    ingestion = read(f"headline;score\n{NEWS[0]};{word}\n", thresholds=(-0.1, 0.1))
    assert labels_of(ingestion) == {NEWS[0]: label}


def test_a_value_that_is_no_number_has_a_label_only_by_its_word(read):
    rows = [(NEWS[0], "high"), (NEWS[1], "negative"), (NEWS[2], "0"), (NEWS[3], "inf")]
    content = "\n".join(["text,label", *(",".join(row) for row in rows)])
    ingestion = read(content, thresholds=(0, 0), label_map={"high": "positive"})
    assert labels_of(ingestion) == {NEWS[0]: "positive", NEWS[1]: "negative", NEWS[2]: "neutral"}
    assert list(ingestion.rejected["reason"]) == ["unknown label 'inf'"]


@every_format
@pytest.mark.parametrize("names", [("positive", "neutral", "negative"), ("is_positive", "isNeutral", "label negative")])
def test_a_column_for_each_label_is_found_and_a_row_with_two_or_none_has_no_label(read, write, names):
    texts = [*NEWS, "Marked by nobody"]
    flags = zip([1, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0], strict=True)
    table = {"headline": texts, **dict(zip(names, map(list, zip(*flags, strict=True)), strict=True))}
    ingestion = read(write(table))
    assert labels_of(ingestion) == {NEWS[0]: "positive", NEWS[1]: "negative", NEWS[2]: "neutral"}
    assert list(ingestion.rejected["reason"]) == ["more than one label: negative and positive", "no label"]
    assert ingestion.columns == ReadColumns("headline", ", ".join(names), label_shape="one column for each label")


def test_a_column_with_labels_is_preferred_to_a_column_for_each(read):
    content = "text,positive,neutral,negative,sentiment\nProfit rose,0,0,1,positive\nAGM,1,0,0,neutral\n"
    assert labels_of(read(content)) == {"Profit rose": "positive", "AGM": "neutral"}


def test_what_is_neither_1_nor_0_in_the_column_of_a_label_costs_its_row(read):
    content = "text,positive,neutral,negative\nProfit rose,TRUE,FALSE,FALSE\nAGM,0.7,0.2,0.1\n"
    ingestion = read(content, label_columns=("positive", "neutral", "negative"))
    assert labels_of(ingestion) == {"Profit rose": "positive"}
    assert list(ingestion.rejected["reason"]) == ["neither 1 nor 0 in the column of a label: '0.7'"]


ANNOTATORS = ("annotator1", "annotator2", "annotator3")


@every_format
def test_the_majority_of_annotators_decides_and_its_share_is_kept_as_the_agreement(read, write):
    votes = [
        ("positive", "positive", "neutral"),
        ("negative", "negative", "negative"),
        ("neutral", None, None),
        ("neutral", "positive", "negative"),
    ]
    table = {"headline": NEWS, **dict(zip(ANNOTATORS, map(list, zip(*votes, strict=True)), strict=True))}
    ingestion = read(write(table), label_columns=ANNOTATORS)
    assert labels_of(ingestion) == {NEWS[0]: "positive", NEWS[1]: "negative", NEWS[2]: "neutral"}
    assert list(ingestion.accepted["agreement"]) == [66, 100, 100]
    assert list(ingestion.left_out["reason"]) == ["a tie of annotators: 1 negative, 1 neutral, 1 positive"]
    assert ingestion.rejected.empty
    assert ingestion.columns.label == "annotator1, annotator2, annotator3"


def test_rows_on_which_fewer_annotators_agree_than_required_are_left_out(read):
    content = "text,a,b,c\nProfit rose,up,up,neutral\nCosts rose,negative,negative,NEGATIVE\nAGM,x,x,neutral\n"
    ingestion = read(content, label_columns=("a", "b", "c"), label_map={"up": "positive", "x": None}, agreement=100)
    assert labels_of(ingestion) == {"Costs rose": "negative"}
    reason = "fewer than 100 % of annotators agree: "
    assert list(ingestion.left_out["reason"]) == [f"{reason}1 neutral, 2 positive", f"{reason}2 left out, 1 neutral"]


def test_an_unknown_word_of_an_annotator_rejects_the_row_and_a_row_without_words_has_no_label(read):
    content = "text,a,b\nProfit rose,positive,bullish\nAGM,,\n"
    ingestion = read(content, label_columns=("a", "b"))
    assert list(ingestion.rejected["reason"]) == ["unknown label 'bullish'", "no label"]
    assert "1 row with an unknown label in the columns a, b" in str(refusal_of(ingestion, label_columns=("a", "b")))


def test_annotators_without_a_header_are_named_by_numbers(read):
    rows = [f"{number},{text},positive,positive" for number, text in enumerate(NEWS)]
    ingestion = read("\n".join(rows), text_column="2", label_columns=("3", "4"))
    assert list(ingestion.accepted["label"]) == ["positive"] * 4
    assert (ingestion.columns.label, ingestion.rows_read) == ("3, 4", 4)


@every_format
def test_null_in_a_label_map_leaves_its_rows_out_and_counts_them_apart(read, write):
    table = {"text": NEWS, "label": ["positive", "mixed", None, "nan"]}
    ingestion = read(write(table), label_map={"Mixed": None})
    assert list(ingestion.left_out["reason"]) == ["label 'mixed'"]
    assert list(ingestion.rejected["reason"]) == ["no label", "no label, written as 'nan'"]
    both = read(write(table), label_map={"mixed": None, "": None})
    assert list(both.left_out["reason"]) == ["label 'mixed'", "no label", "no label, written as 'nan'"]
    assert (both.rows_read, len(both.accepted), len(both.rejected)) == (4, 1, 0)


def test_rows_that_are_left_out_do_not_weaken_the_bound_on_rejected_ones(read):
    rows = ["Profit rose,positive", "Costs rose,?", *(f"Notice {chr(65 + n)},mixed" for n in range(18))]
    ingestion = read("\n".join(["text,label", *rows]), label_map={"mixed": None})
    assert "1 of 2 rows rejected, a share of 0.5 where" in str(refusal_of(ingestion, max_rejected=0.4))


def test_null_is_a_word_on_the_command_line_and_a_value_in_a_profile():
    label_map = {"up": "positive", "mixed": None, "": None}
    config = build_config(
        apply_overrides(load_profile("desk"), ['data.label_map={up: positive, mixed: null, "": null}'])
    )
    assert config.data.label_map == label_map
    assert check_settings(DataSettings, {"source": "x", "label_map": label_map}).label_map == label_map


@every_format
@pytest.mark.parametrize("key", ["1", "1.0", "+1"])
def test_a_number_of_the_label_map_means_every_way_to_write_it(read, write, key):
    table = {"text": NEWS[:3], "label": [1.0, -1.0, 0.0]}
    ingestion = read(write(table), label_map={key: "positive", "-1": "negative", "0.0": "neutral"})
    assert list(ingestion.accepted["label"]) == ["positive", "negative", "neutral"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_map": {"1": "positive", "1.0": "negative"}}, "it maps '1.0' to positive and to negative"),
        ({"label_map": {"": "neutral"}}, "map it to null to leave its rows out"),
        ({"thresholds": (0.1, -0.1)}, "0.1 is above -0.1: give the lower one first"),
        ({"thresholds": (0, float("nan"))}, "finite"),
        ({"label_columns": ("a",)}, "at least 2"),
        ({"label_columns": ("a", "b"), "label_column": "c"}, "label_column is given beside label_columns"),
    ],
)
def test_invalid_and_contradictory_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        check_settings(DataSettings, {"source": "x", **settings})


TWO_ANNOTATORS = {f"annotator{n}": ["positive", "negative"] * 2 for n in (1, 2)}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"sentiment_score": [0.62, -0.48, 0.03, 0.0]},
            "'sentiment_score' holds scores from -0.48 to 0.62: .* --thresholds -0.1,0.1",
        ),
        ({"Compound": [0.62, 0.5, 0.03, 0.0]}, "'Compound' holds scores from 0 to 0.62: .* --thresholds LOW,HIGH"),
        ({"score": [-1.5, 1, 0, 0]}, "'score' holds scores from -1.5 to 1: .* --thresholds LOW,HIGH"),
        (
            {"Decisions": ['{"Orlo": "very positive"}', '{"Castell": "rather negative"}'] * 2},
            "'Decisions' holds objects whose values are not all labels: map their words with --label-map",
        ),
        ({"votes": ['["positive", "neutral"]'] * 4}, "'votes' holds a list of labels: write each annotator's into"),
        (TWO_ANNOTATORS, "is an annotator's, use --label-columns annotator1,annotator2"),
        (
            {"positive": [0.9, 0.1, 1, 0], "neutral": [0.1, 0.1, 0, 1], "negative": [0, 0.8, 0, 1]},
            "'positive', 'neutral' and 'negative' hold a score of each label, and fintone reads one label a headline",
        ),
    ],
)
def test_a_shape_that_is_not_read_is_named_with_the_remedy(read, table, message):
    with pytest.raises(MissingColumnError, match=message):
        read(as_json({"headline": NEWS, **table}))


@pytest.mark.parametrize(
    "table",
    [
        {"score": [3, 1, 2, 1]},
        {"score": ["0.5", "0.25", "none", "0.125"]},
        {"score": [None] * 4},
        {"shares": [0.62, 0.48, 0.03, 0.0]},
        {"remark": ["rather positive", "-", "-", "-"]},
        {"positive": [0.9, 0.1, 1, 0], "neutral": [0.1, 0.1, 0, 1], "negative": ["high", "low", "low", "low"]},
    ],
)
def test_a_column_that_holds_no_labels_is_named_with_no_remedy(read, table):
    with pytest.raises(MissingColumnError) as caught:
        read(as_json({"headline": NEWS, **table}))
    assert "hold" not in str(caught.value)


def test_more_than_ten_whole_numbers_are_scores_and_a_row_may_lack_one(read):
    rows = [f"{text} {number},{number}" for number in range(-1, 10) for text in NEWS]
    with pytest.raises(MissingColumnError, match="'score' holds scores from -1 to 9"):
        read("\n".join(["headline,score", *rows, "Northwind"]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.62, -0.48, 0.03, 0.0], "the column holds scores from -0.48 to 0.62: set below which"),
        (['{"Orlo": "up", "Castell": "down"}'] * 4, "8 rows with an unknown label in column"),
    ],
)
def test_the_shape_of_a_label_column_is_reported_in_the_refusal(read, values, message):
    assert message in str(refusal_of(read(as_json({"headline": NEWS, "label": values}))))


def test_a_named_label_column_that_does_not_exist_is_reported(read):
    with pytest.raises(MissingColumnError, match="no label column 'c', its columns are"):
        read("text,a,b\nProfit rose,positive,positive\n", label_columns=("a", "c"))


def test_a_label_setting_changes_reading_and_ingest_id_only_if_it_is_given():
    plain, given = DataSettings(source="x"), DataSettings(source="x", thresholds=(0, 1))
    assert "thresholds" not in describe_reading(plain, ReadColumns())
    assert '"thresholds": [0.0, 1.0]' in describe_reading(given, ReadColumns())
    ids = {ingest_id("0", each) for each in (plain, given, DataSettings(source="x", label_columns=("a", "b")))}
    assert len(ids) == 3


CASE_LABELS = {
    "one-hot.csv": {},
    "continuous.csv": {"thresholds": (-0.1, 0.1)},
    "annotators.csv": {"label_columns": ANNOTATORS},
    "float-labels.csv": {"label_map": {"-1": "negative", "0": "neutral", "1": "positive"}},
}


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the small inputs in shared/cases, next to the project")
@pytest.mark.parametrize("name", CASE_LABELS)
def test_the_small_inputs_are_read_with_the_right_settings(read, name):
    ingestion = read((CASES / name).read_bytes(), **CASE_LABELS[name])
    found = list(ingestion.accepted["label"])
    assert found[:2] == ["positive", "negative"]
    assert found[2:] == ([] if name == "annotators.csv" else ["neutral"])
