"""Prices are read from tables of any shape, and rows that cannot be prices are counted by reason."""

import pandas as pd
import pytest

from market.prices import PricesError, measure_returns, read_prices

SESSIONS = pd.DataFrame({"session": pd.date_range("2024-01-01", periods=8, freq="D")})


def read(rows: dict[str, list[str]], dates: list[str]):  # type: ignore[no-untyped-def]
    days = pd.Series(pd.to_datetime(dates, errors="coerce"))
    return read_prices(pd.DataFrame({"date": dates, **rows}), days, SESSIONS["session"], "prices p.csv", None)


def test_rows_that_cannot_be_prices_are_counted_by_reason() -> None:
    prices = read(
        {
            "Ticker": ["aaa", "AAA", "AAA", "AAA", "AAA", "", "AAA", "AAA", "AAA"],
            "close": ["1", "0", "-2", "n/a", "3", "4", "5", "6", "5"],
        },
        [
            "2024-01-01",
            "2024-01-02",
            "2024-01-03",
            "2024-01-04",
            "no",
            "2024-01-05",
            "2024-01-06",
            "2030-01-01",
            "2024-01-06",
        ],
    )
    assert prices.frame.to_numpy().tolist() == [
        ["AAA", pd.Timestamp("2024-01-01"), 1.0],
        ["AAA", pd.Timestamp("2024-01-06"), 5.0],
    ]
    assert prices.rejected.to_dict() == {
        "the price is not above zero": 2,
        "the price is no number": 1,
        "the date cannot be read": 1,
        "no instrument": 1,
        "the exchange had no session on that day": 1,
    }


def test_two_prices_of_one_session_are_both_rejected() -> None:
    prices = read({"ticker": ["A", "A", "B"], "close": ["1", "2", "3"]}, ["2024-01-01"] * 3)
    assert prices.frame["instrument"].tolist() == ["B"]
    assert prices.rejected.to_dict() == {"another price for the same instrument and session": 2}


def test_an_adjusted_price_is_preferred_and_a_table_with_a_column_for_each_instrument_is_read() -> None:
    adjusted = read({"symbol": ["A"], "Close": ["8"], "Adj Close": ["4"]}, ["2024-01-01"])
    wide = read({"b": [" ", "3"], "A": ["1", "2"]}, ["2024-01-01", "2024-01-02"])
    assert (adjusted.column, adjusted.frame["price"].tolist()) == ("Adj Close", [4.0])
    assert wide.frame["instrument"].tolist() == ["A", "A", "B"]
    assert len(wide.rejected) == 0


def test_commas_part_thousands_or_the_row_is_rejected() -> None:
    dates = [f"2024-01-0{day}" for day in range(1, 5)]
    prices = read({"ticker": ["A"] * 4, "close": ["1,234.5", "1,234", "12,5", "1,23,4"]}, dates)
    assert prices.frame["price"].tolist() == [1234.5, 1234.0]
    assert prices.rejected.to_dict() == {"the price is no number": 2}


def test_an_infinite_price_is_no_number() -> None:
    prices = read({"ticker": ["A"] * 3, "close": ["inf", "1e999", "7"]}, [f"2024-01-0{day}" for day in (1, 2, 3)])
    assert prices.frame["price"].tolist() == [7.0]
    assert prices.rejected.to_dict() == {"the price is no number": 2}


def test_a_table_without_prices_is_refused_with_the_reason() -> None:
    with pytest.raises(PricesError, match=r"prices p\.csv: has no column close"):
        read({"ticker": ["A"], "size": ["1"]}, ["2024-01-01"])
    for without in ({"close": ["1"]}, {}):  # a file of one instrument, and one with days alone
        with pytest.raises(
            PricesError, match=r"prices p\.csv: has no column instrument \(or ticker\); give columns date"
        ):
            read(without, ["2024-01-01"])
    with pytest.raises(PricesError, match=r"has no price that can be used, the price is not above zero"):
        read({"ticker": ["A"], "close": ["0"]}, ["2024-01-01"])


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    table = pd.DataFrame({"session": ["x"], "ticker": ["A"], "px": ["1"], "volume": ["3"]})
    with pytest.raises(PricesError, match=r"has no column 'nope'; its columns are 'session', 'ticker', 'px', 'volume'"):
        read_prices(table, pd.to_datetime(pd.Series(["2024-01-01"])), SESSIONS["session"], "p.csv", "nope")


def frame(prices: list[float | None], instrument: str = "A") -> pd.DataFrame:
    rows = [(instrument, day, price) for day, price in zip(SESSIONS["session"], prices, strict=False) if price]
    return pd.DataFrame(rows, columns=["instrument", "session", "price"])


def test_returns_begin_at_the_close_of_their_session() -> None:
    returns, jumps = measure_returns(frame([100, 110, 99, 99]), SESSIONS, [1, 2])
    assert jumps == 0
    first = returns.iloc[0]
    assert (round(first["return_1"], 9), round(first["return_2"], 9)) == (0.1, -0.01)
    assert pd.isna(first["before"])
    assert round(returns.iloc[1]["before"], 9) == 0.1


def test_for_a_session_without_a_price_no_return_is_made_up() -> None:
    returns, _ = measure_returns(frame([100, None, 121, 121]), SESSIONS, [1, 2])
    by_session = returns.set_index("session")
    assert pd.isna(by_session.loc["2024-01-01", "return_1"])
    assert round(by_session.loc["2024-01-01", "return_2"], 9) == 0.21
    assert "2024-01-02" not in by_session.index.strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    "prices",
    [[100, 101, 50.5, 51], [50, 51, 102, 103], [100, None, 50, 51], [100, 101, 55.5, 56], [55, 56, 101.9, 101]],
)
def test_no_return_goes_across_a_step_that_looks_like_a_split(prices: list[float | None]) -> None:
    returns, jumps = measure_returns(frame(prices), SESSIONS, [1, 3])
    assert jumps == 1
    assert returns["return_1"].abs().max() < 0.05
    assert returns["return_3"].isna().all()
    assert returns["before"].abs().max() < 0.05


def test_a_step_that_is_too_small_for_a_split_is_a_return() -> None:
    returns, jumps = measure_returns(frame([100, 55.1, 100.1]), SESSIONS, [1])
    assert jumps == 0
    assert returns["return_1"].dropna().tolist() == pytest.approx([-0.449, 100.1 / 55.1 - 1])
