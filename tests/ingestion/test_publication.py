"""Sources with dates, instruments and other columns: what is found, kept, rejected, and what is the same headline."""

import io
import json

import pandas as pd
import pytest

from ingestion.columns import MissingColumnError
from ingestion.identity import describe_reading, ingest_id
from ingestion.publication import AmbiguousDatesError
from schemas.columns import ReadColumns
from schemas.source import DataSettings

HALTED = """date,ticker,source,url,headline,label
2025-01-02,NWD,Wire,a/1,Trading halted,negative
2025-02-03,HBF,Wire,a/2,Trading halted,negative
2025-03-04,CST,Desk,a/3,Trading halted,positive
2025-03-04,CST,Wire,a/4,Trading  halted,positive
2025-03-05,CST,,a/5,Castell wins order,neutral
"""
PLAIN = "headline,label\nTrading halted,negative\nTrading halted,positive\nCastell wins order,neutral\n"


def test_the_same_text_of_another_day_or_instrument_is_neither_a_copy_nor_a_contradiction(read):
    ingestion = read(HALTED)
    assert list(ingestion.accepted["label"]) == ["negative", "negative", "positive", "neutral"]
    assert list(ingestion.accepted["copies"]) == [1, 1, 2, 1]
    assert ingestion.accepted["group_id"].nunique() == 2
    assert ingestion.rejected.empty
    assert ingestion.quarantined.empty


def test_every_accepted_row_keeps_its_number_and_the_other_values_of_its_source(read):
    ingestion = read(HALTED)
    rows = ingestion.rows.astype("object").where(ingestion.rows.notna(), None)
    assert list(rows["row_number"]) == [1, 2, 3, 4, 5]
    assert list(rows["published_at"])[2:] == [*map(pd.Timestamp, ("2025-03-04", "2025-03-04", "2025-03-05"))]
    assert list(rows["instrument"]) == ["NWD", "HBF", "CST", "CST", "CST"]
    assert list(rows["publisher"]) == ["Wire", "Wire", "Desk", "Wire", None]
    assert [json.loads(extra) for extra in rows["extra"]] == [{"url": f"a/{number}"} for number in range(1, 6)]
    assert rows["headline_id"][2] == rows["headline_id"][3]
    columns = ingestion.columns
    assert (columns.published_at, columns.instrument, columns.publisher) == ("date", "ticker", "source")


def test_dates_that_begin_below_the_first_rows_are_read(read):
    rows = [f",Firm {number} reports its sales,neutral" for number in range(600)]
    ingestion = read("\n".join(["date,headline,label", *rows, "2025-03-05,Castell wins order,positive"]))
    assert ingestion.columns.published_at == "date"
    assert list(ingestion.rows["published_at"].dropna()) == [pd.Timestamp("2025-03-05")]


@pytest.mark.parametrize("name", ["time", "Publish Time"])
def test_a_column_of_times_of_day_that_begins_blank_is_not_read_as_dates(read, name):
    rows = [f",Firm {number} reports its sales,neutral" for number in range(600)]
    ingestion = read("\n".join([f"{name},headline,label", *rows, "after close,Castell wins an order,positive"]))
    assert (len(ingestion.accepted), len(ingestion.rejected), ingestion.columns.published_at) == (601, 0, None)


def test_a_blank_column_hides_no_dates_whose_order_is_unclear(read):
    rows = [
        f",{date},Firm {number} reports its sales,neutral"
        for number, date in enumerate(["13/04/2025", "04/13/2025"] * 9)
    ]
    ingestion = read("\n".join(["timestamp,date,headline,label", *rows]))
    assert (ingestion.columns.published_at, ingestion.columns.undated) == (None, "date")


def test_a_column_with_dates_is_preferred_to_one_that_begins_blank(read):
    rows = "".join(f",2025-03-{day:02d},Firm {day} reports its sales,neutral\n" for day in range(1, 29))
    assert read(f"published at,date,headline,label\n{rows}").columns.published_at == "date"


def test_the_settings_define_what_is_the_same_headline(read):
    by_text = read(HALTED, identity=("text",), max_rejected=1)
    assert len(by_text.accepted) == 1
    assert len(by_text.rejected) == 4
    assert by_text.rejected["reason"].str.startswith("the same text is also labelled").all()
    by_day = read(HALTED.replace("2025-02-03", "2025-01-02"), identity=("text", "day"))
    assert list(by_day.accepted["copies"]) == [2, 2, 1]


def test_a_day_begins_in_the_zone_of_the_settings(read):
    table = (
        "time,headline,label\n2025-01-02 03:00Z,Trading halted,negative\n2025-01-02 06:00Z,Trading halted,positive\n"
    )
    assert len(read(table, conflicts="drop").rejected) == 2
    assert len(read(table, timezone="America/New_York").accepted) == 2


def test_a_kept_copy_is_numbered_among_headlines_that_are_the_same(read):
    kept = read(HALTED.replace("Trading  halted", "Trading halted"), duplicates="keep")
    assert len(kept.accepted) == 5
    assert kept.accepted["headline_id"].is_unique


def test_ids_of_a_source_without_such_columns_are_those_of_older_versions(read):
    ingestion = read(PLAIN, conflicts="keep")
    assert list(ingestion.accepted["headline_id"]) == ["e99e53019d8781dc", "750ce8c47093946f", "ebcae97a3a7c8ab8"]
    assert ingestion.snapshot_id == "04af1e77806e90b9"
    same = read("day,headline,label\n" + "".join(f"Monday,{row}\n" for row in PLAIN.splitlines()[1:]), conflicts="keep")
    assert same.snapshot_id == ingestion.snapshot_id


def test_settings_at_their_defaults_change_neither_id_nor_reading():
    plain = DataSettings(source="a")
    explicit = DataSettings(source="a", identity=["day", "text", "instrument"], timezone="UTC")
    assert ingest_id("0", plain) == ingest_id("0", explicit)
    assert ingest_id("0", plain) != ingest_id("0", DataSettings(source="a", date_order="dmy"))
    assert "identity" not in describe_reading(explicit, ReadColumns())
    assert "identity" in describe_reading(DataSettings(source="a", identity=("text",)), ReadColumns())


def test_a_wrong_date_costs_its_row_and_an_empty_one_does_not(read):
    dates = ["2025-01-02", "1900-01-01", "2099-01-01", "soon", "", "NaN"] + ["2025-01-03"] * 40
    rows = "".join(f"{date},Trading halted {number},negative\n" for number, date in enumerate(dates))
    ingestion = read("date,headline,label\n" + rows, near_duplicates="numbers")
    assert list(ingestion.rejected["row_number"]) == [2, 3, 4]
    assert list(ingestion.rejected["reason"]) == [
        "date before 1950 '1900-01-01'",
        "date in the future '2099-01-01'",
        "date that cannot be read 'soon'",
    ]
    assert ingestion.rows["published_at"].isna().sum() == 2


def test_dates_whose_order_cannot_be_found_are_refused_with_the_remedy(read):
    table = "date,headline,label\n03/04/2025,Profit rose,positive\n"
    with pytest.raises(AmbiguousDatesError, match=r"'03/04/2025' may be dmy or mdy.* --date-order dmy"):
        read(table)
    given = read(table, date_order="dmy")
    assert (given.rows["published_at"][0], given.date_order) == (pd.Timestamp("2025-04-03"), "dmy")
    without = read(table, published_at_column="")
    assert without.columns.published_at is None
    assert json.loads(without.rows["extra"][0]) == {"date": "03/04/2025"}


def test_the_order_of_dates_is_that_of_the_numeric_ones(read):
    rows = ["03/04/2025,Profit rose,positive", "03/14/2025,Sales fell,negative", "2025-03-05,Castell opens,neutral"]
    assert read("\n".join(["date,headline,label", *rows])).date_order == "mdy"
    assert read(HALTED).date_order is None
    assert read(PLAIN).date_order is None


def test_a_column_named_date_without_dates_is_no_time_of_publication(read):
    ingestion = read("date,headline,label\nfirst half,Profit rose,positive\nQ3 2008,Sales fell,negative\n")
    assert ingestion.columns.published_at is None
    assert ingestion.columns.kept == ("date",)


def test_a_named_column_that_does_not_exist_is_reported(read):
    with pytest.raises(MissingColumnError, match=r"no instrument column 'isin', .* with --instrument-column"):
        read(HALTED, instrument_column="isin")


def test_columns_of_a_file_without_a_header_are_named_by_number(read):
    settings = {"text_column": "5", "label_column": "6", "published_at_column": "1", "instrument_column": "2"}
    ingestion = read(HALTED.partition("\n")[2], **settings)
    assert list(ingestion.rows["instrument"]) == ["NWD", "HBF", "CST", "CST", "CST"]
    assert json.loads(ingestion.rows["extra"][0]) == {"column_3": "Wire", "column_4": "a/1"}


@pytest.mark.parametrize("form", ["parquet", "excel", "feather", "json"])
def test_native_times_of_every_format_are_read(read, form):
    stamps = pd.to_datetime(["2025-01-02 21:30", "2025-01-03 09:00"])
    frame = pd.DataFrame(
        {"publishedAt": stamps, "headline": ["Profit rose", "Sales fell"], "label": ["positive", "negative"]}
    )
    buffer = io.BytesIO()
    if form == "parquet":
        frame.to_parquet(buffer)
    elif form == "feather":
        frame.to_feather(buffer, compression="uncompressed")
    elif form == "excel":
        frame.to_excel(buffer, index=False)
    else:
        seconds = [int(stamp.timestamp()) for stamp in stamps]
        buffer.write(json.dumps(frame.assign(publishedAt=seconds).to_dict("records")).encode())
    assert list(read(buffer.getvalue()).rows["published_at"]) == list(stamps)


def test_a_path_within_nested_values_may_be_named(read):
    rows = [
        {"headline": "Profit rose", "label": "positive", "meta": {"at": "2025-01-02", "who": {"name": "Orlo"}}},
        {"headline": "Sales fell", "label": "negative", "meta": {"at": "2025-01-03", "who": {"name": "Castell"}}},
    ]
    ingestion = read(json.dumps(rows), published_at_column="meta.at", instrument_column="meta.who.name")
    assert list(ingestion.rows["instrument"]) == ["Orlo", "Castell"]
    assert json.loads(ingestion.rows["extra"][1]) == {"meta": rows[1]["meta"]}


@pytest.mark.parametrize("days", [("13/04/2025", "04/13/2025"), ("25/2025/03", "2025-25-03")])
def test_a_column_of_dates_that_fit_no_order_is_reported_as_not_read(read, days):
    rows = "".join(f"Unit {number} grew,positive,{days[number % 2]}\n" for number in range(20))
    table = f"headline,label,date\n{rows}"
    columns = read(table).columns
    assert (columns.published_at, columns.kept) == (None, ("date",))
    [warning] = columns.warn()
    assert warning.startswith("'date' is not read as time of publication, ")
    assert "published_at_column" in warning
    assert read(table, published_at_column="").columns.warn() == []


def test_a_column_of_words_is_not_reported_as_dates(read):
    assert read("headline,label,time\nUnit grew,positive,morning\nUnit fell,negative,noon\n").columns.warn() == []


@pytest.mark.parametrize(
    "form", ["{:02}. 4. 2025", "{} 04 2025", "{:02}APR2025", "202504{:02}093000", "{}.4.2025 9.30"]
)
def test_a_column_of_dates_of_any_form_is_found_by_its_name_or_reported(read, form):
    rows = [f"Unit {number} grew,positive,{form.format(number % 25 + 1)}" for number in range(50)]
    ingestion = read("\n".join(["headline,label,date", *rows]))
    if ingestion.columns.published_at is None:
        assert len(ingestion.columns.warn()) == 1
    else:
        assert set(ingestion.rows["published_at"].dt.month) == {4}
        assert ingestion.rows["published_at"].dt.day.nunique() == 25


def test_a_word_among_native_dates_costs_its_row_and_not_all_dates(read):
    days = pd.Series(pd.date_range("2025-01-01", periods=30).to_list(), dtype="object")
    frame = pd.DataFrame({"headline": [f"Unit {number} grew" for number in range(30)], "label": "positive"})
    buffer = io.BytesIO()
    frame.assign(date=days.mask(days.index == 17, "TBC")).to_excel(buffer, index=False)
    ingestion = read(buffer.getvalue())
    assert ingestion.rows["published_at"].notna().sum() == 29
    assert list(ingestion.rejected["reason"]) == ["date that cannot be read 'TBC'"]


def test_a_name_that_resembles_a_word_for_nothing_is_a_name(read):
    names = ["NAT", "NAN", "NaN", "None", "NULL", "N/A", ""]
    rows = [f"Trading halted,{'positive' if name == 'NAN' else 'negative'},{name}" for name in names]
    ingestion = read("\n".join(["headline,label,ticker", *rows]))
    assert [None if pd.isna(name) else name for name in ingestion.rows["instrument"]] == ["NAT", "NAN", *[None] * 5]
    assert ingestion.rejected.empty
    dated = read("headline,label,date\nProfit rose,positive,2025-01-02\nSales rose,positive,NAT\n")
    assert (dated.rows["published_at"].notna().tolist(), len(dated.rejected)) == ([True, False], 0)
