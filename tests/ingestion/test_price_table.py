"""Files of prices are read as tables of text with the day of each row."""

from pathlib import Path

import pandas as pd

from ingestion.price_table import read_price_table
from market.prices import DATES, read_prices


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
