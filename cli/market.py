"""`fintone market`: compare a model's sentiment with prices."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.completion import complete_measured
from cli.options import FORMAT, Form, Temperature
from cli.output.console import print_lines, print_notice, print_query


def market(
    prices: Annotated[str, typer.Option(help="Prices: .csv, .parquet or .xlsx with date, instrument and close.")],
    horizon: Annotated[str, typer.Option(help="Horizons of the returns, in sessions, as in 1d,5d.")] = "1d,5d",
    model: Annotated[
        str,
        typer.Option(
            help="`champion`, or a cell's id or name; `champions`: for each headline, the one when it was published.",
            autocompletion=complete_measured,
        ),
    ] = "champion",
    temperature: Temperature = None,
    calendar: Annotated[
        str, typer.Option(help="The exchange, such as XNYS, XETR or XLON; 24/7 has a session every day.")
    ] = "XNYS",
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone in which midnight is a date without a time; that of its source if omitted."),
    ] = None,
    price_column: Annotated[str | None, typer.Option(help="Column of the prices; detected if omitted.")] = None,
    format_: Annotated[Form | None, FORMAT] = None,
    output: Annotated[Path | None, typer.Option(help="Write the answer to this file instead.")] = None,
) -> None:
    """Measure how returns follow the sentiment of news that is later than everything that the model learned from.

    Example: fintone market --prices prices.csv --horizon 1d,5d
    """
    from cli.output.formats import choose_format
    from cli.output.results import deliver, delivering_lines, to_json
    from operations.homes import home_to_change
    from operations.market import measure_market
    from operations.outputs import check_output
    from reporting.market import describe_market
    from schemas.market import MarketSettings
    from schemas.profiles import check_settings
    from storage.market import load_market

    values: dict[str, Any] = {
        "prices": prices,
        "horizons": horizon,
        "model": model,
        "temperature": temperature,
        "calendar": calendar,
        "timezone": timezone,
        "price_column": price_column,
    }
    settings = check_settings(MarketSettings, {name: value for name, value in values.items() if value is not None})
    check_output(output, prices)
    format_ = choose_format(format_, output, Form)
    home = home_to_change()
    measured = measure_market(settings)
    for note in measured.notes:
        print_notice(note)
    found = load_market(home.warehouse, measured.market_id)
    if format_ is Form.JSON:
        deliver([to_json({"market_id": measured.market_id, **found}, indent=2) + "\n"], output)
        return
    with delivering_lines(output) as console:
        for lines in describe_market(found):
            print_lines(lines, console)
            console.print()
        console.print("all results:")
        query = f"SELECT * FROM market_reaction WHERE market_id = '{measured.market_id}'"  # noqa: S608 (our own id)
        print_query(query, console)
