"""Files of prices are read as tables of text with the day of each row."""

import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from ingestion.price_table import find_price_file, read_price_table
from market.prices import DATES, read_prices
from schemas.errors import InputError


def test_a_workbook_may_name_its_columns_by_the_numbers_of_stocks(tmp_path: Path) -> None:
    path = tmp_path / "prices.xlsx"
    days = ["2025-03-03", "2025-03-04"]
    pd.DataFrame({"Date": days, 600519: [1500.5, 1510.0], 700: [480.0, 481.5]}).to_excel(path, index=False)
    table, dates = read_price_table(path, DATES)
    prices = read_prices(table, dates, pd.Series(pd.to_datetime(days)), "prices.xlsx", None)
    assert prices.frame.to_numpy().tolist() == [
        ["600519", pd.Timestamp("2025-03-03"), 1500.5],
        ["600519", pd.Timestamp("2025-03-04"), 1510.0],
        ["700", pd.Timestamp("2025-03-03"), 480.0],
        ["700", pd.Timestamp("2025-03-04"), 481.5],
    ]


DAYS = ("2025-03-03", "2025-03-04", "2025-03-05")


def read(path: Path) -> list[list[object]]:
    table, dates = read_price_table(path, DATES)
    prices = read_prices(table, dates, pd.Series(pd.to_datetime([*DAYS])), path.name, None)
    return prices.frame.to_numpy().tolist()


def write_text(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def prices_of(*values: float) -> list[list[object]]:
    return [["AUR", pd.Timestamp(day), value] for day, value in zip(DAYS, values, strict=False)]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_a_ticker_may_be_a_word_for_nothing_and_numbers_of_rows_are_no_instrument(tmp_path: Path, suffix: str) -> None:
    wide = pd.DataFrame({"date": [*DAYS], "NA": [110.5, 111.5, 112.5], "index": [10.5, 10.25, 10.75]})
    narrow = wide.melt("date", var_name="ticker", value_name="close")
    save = {".csv": pd.DataFrame.to_csv, ".xlsx": pd.DataFrame.to_excel, ".parquet": pd.DataFrame.to_parquet}[suffix]
    for number, table in enumerate((wide, narrow, narrow[narrow["close"] > 0])):
        path = tmp_path / f"{number}{suffix}"
        save(table, path)
        assert [row[0] for row in read(path)] == ["INDEX"] * 3 + ["NA"] * 3


def test_an_index_of_days_is_read_with_or_without_a_name(tmp_path: Path) -> None:
    for name in (None, "Date"):
        table = pd.DataFrame({"AUR": [1.5, 2.5, 3.5]}, index=pd.DatetimeIndex([*DAYS], name=name))
        table.to_parquet(tmp_path / "prices.parquet")
        assert read(tmp_path / "prices.parquet") == prices_of(1.5, 2.5, 3.5)


def test_an_index_beside_a_column_of_days_is_left_out(tmp_path: Path) -> None:
    table = pd.DataFrame({"date": [*DAYS], "AUR": [1.5, 2.5, 3.5]}, index=pd.DatetimeIndex([*DAYS]))
    table.to_parquet(tmp_path / "prices.parquet")
    assert read(tmp_path / "prices.parquet") == prices_of(1.5, 2.5, 3.5)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("998,5", "1012,25", "7"), (998.5, 1012.25, 7)),
        (("1.012,50", "998,75", "1.011"), (1012.5, 998.75, 1011)),
        (("1,012", "998", "1,011"), (1012, 998, 1011)),
        (("1,012.50", "998.75", "1,011"), (1012.5, 998.75, 1011)),
        (("1.012", "998", "1.011"), (1012, 998, 1011)),
        (("1.012", "998,5", "1.011"), (1012, 998.5, 1011)),
        (("1,012", "1,013", "1,011"), (1.012, 1.013, 1.011)),
        (("1.012", "1.013", "1.011"), (1.012, 1.013, 1.011)),
        (("1.012.000", "1.013.000", "1.011.000"), (1_012_000, 1_013_000, 1_011_000)),
        (("12.5", "12.25", "12"), (12.5, 12.25, 12)),
    ],
)
def test_comma_and_point_mean_the_same_in_a_whole_column(
    tmp_path: Path, written: tuple[str, ...], expected: tuple[float, ...]
) -> None:
    rows = [f"{day};AUR;{price}" for day, price in zip(DAYS, written, strict=True)]
    assert read(write_text(tmp_path / "prices.csv", "date;ticker;close", *rows)) == prices_of(*expected)


def test_the_column_of_days_is_the_likeliest_one_and_of_two_alike_the_first(tmp_path: Path) -> None:
    head = "time,session,date,ticker,close,Close "
    path = write_text(tmp_path / "prices.csv", head, f"22:00,regular,{DAYS[0]},AUR,5.5,9.5")
    assert read(path) == [["AUR", pd.Timestamp(DAYS[0]), 5.5]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_fields_are_delimited_by_any_usual_sign_and_may_be_empty(tmp_path: Path, delimiter: str) -> None:
    lines = ["date ticker close", f"{DAYS[0]} AUR 1.5", f"{DAYS[1]} AUR ", f"{DAYS[2]} AUR 3.5"]
    path = write_text(tmp_path / "prices.TXT", *(line.replace(" ", delimiter) for line in lines))
    table, _ = read_price_table(find_price_file(str(path)), DATES)
    assert read(path) == [prices_of(1.5)[0], prices_of(1, 1, 3.5)[2]]
    assert len(table) == len(DAYS)


@pytest.mark.parametrize("suffix", [".XLSX", ".Parquet"])
def test_a_cell_without_a_value_is_empty_in_binary_files_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"prices{suffix}"
    wide = pd.DataFrame({"date": pd.to_datetime([*DAYS]), "AUR": [1.5, None, 3.5], "note": [None, "split", None]})
    with path.open("wb") as file:
        wide.to_excel(file, index=False) if suffix == ".XLSX" else wide.to_parquet(file)
    table, dates = read_price_table(find_price_file(str(path)), DATES)
    assert table.drop(columns="date").to_numpy().tolist() == [["1.5", ""], ["", "split"], ["3.5", ""]]
    assert dates.tolist() == [pd.Timestamp(day) for day in DAYS]


@pytest.mark.parametrize("zone", ["", "Z", " UTC", "-05:00", "+0900"])
def test_the_day_of_a_price_is_that_of_its_exchange(tmp_path: Path, zone: str) -> None:
    lines = ("date,ticker,close", f"{DAYS[0]} 00:30:00{zone},AUR,1.5", f"{DAYS[1]} 23:30:00.5{zone},AUR,2.5")
    assert read(write_text(tmp_path / "prices.csv", *lines)) == prices_of(1.5, 2.5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_file_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    lines = ("date,ticker,close,note", f"{DAYS[0]},AUR,5.5,Börse")
    assert read(write_text(tmp_path / "prices.csv", *lines, encoding=encoding)) == prices_of(5.5)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2300-01-01", "1600-01-01"])
def test_a_day_on_which_nothing_was_traded_costs_its_row(tmp_path: Path, day: str) -> None:
    path = write_text(tmp_path / "prices.csv", "date,ticker,close", f"{DAYS[0]},AUR,5.5", f"{day},AUR,5.5")
    _, dates = read_price_table(path, DATES)
    assert dates.isna().tolist() == [False, True]
    assert read(path) == prices_of(5.5)


def test_a_pipe_is_told_as_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "prices.csv")
    with pytest.raises(InputError, match="is a pipe or a device: give the path of a file"):
        find_price_file(str(tmp_path / "prices.csv"))


def test_a_damaged_workbook_is_refused_in_one_line(tmp_path: Path) -> None:
    archive = tmp_path / "archive.xlsx"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "no workbook")
    for path in (archive, write_text(tmp_path / "text.xlsx", "no archive")):
        with pytest.raises(InputError) as caught:
            read_price_table(path, DATES)
        assert str(caught.value).startswith(f"prices {path.name}: cannot be read (")
        assert "\n" not in str(caught.value)
