"""A race on the study's grid, compared with the full grid, end to end: `python -m benchmarks.race`.

Both sides are the command line, from start to exit, in separate homes: the grid of Camargo 2024 (3 learning rates x
{1, 3} epochs, the untouched base, three temperatures) with a constant schedule after the warm-up, baselines and a
validation part included. The race is run with `search=race`. The winner and every adapter of the race must be equal to
those of the full grid.
"""

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.arguments import learning_parser, positive
from benchmarks.grid import EPOCHS, RATES, run_fintone
from benchmarks.machine import print_figures, write_results
from embedded.paths import MODEL_FOLDER
from storage.query import query

SIDES = ("all", "race")
EMBEDDED_RATES = "2e-6,1e-3,5e-2"
"""The rates of the profile `demo`: too small, right and too large for the embedded model, as in the study for Llama."""


def ask(home: Path, sql: str) -> list[tuple[object, ...]]:
    """The rows that the warehouse of a home returns."""
    return query(home / "warehouse.duckdb", sql).rows


def find_winner(home: Path) -> object:
    """The cell that the gate judged: the best on validation."""
    [(cell_id,)] = ask(home, "SELECT cell_id FROM champions WHERE decided_by = 'gate'")
    return cell_id


def find_adapters(home: Path) -> dict[object, object]:
    """The hash of each adapter that was trained to its end, by its cell."""
    return dict(ask(home, "SELECT cell_id, adapter_hash FROM cells WHERE adapter_hash IS NOT NULL"))  # type: ignore[arg-type]


def check_equal(homes: dict[str, Path]) -> None:
    """Check that the race has the same winner as the full grid, and only adapters that the full grid has too.

    Raises:
        SystemExit: The winners or an adapter differ.
    """
    winners = {side: find_winner(home) for side, home in homes.items()}
    if winners["race"] != winners["all"]:
        raise SystemExit(f"the winners differ: {winners}")
    whole, raced = find_adapters(homes["all"]), find_adapters(homes["race"])
    if not raced.items() <= whole.items():
        raise SystemExit("an adapter of the race differs from that of the full grid")
    print(f"same winner, {winners['race']}; {len(raced)} of {len(whole)} adapters, all of them equal")


def main() -> None:
    """Run both sides in turn, `--rounds` times each, and write the results."""
    parser = learning_parser(__doc__)
    parser.add_argument("--rates", help="peak learning rates, as in 2e-6,2e-4,2e-2; the embedded model has the demo's")
    parser.add_argument("--epochs", default=EPOCHS, help="passes over train, as in 1,3")
    parser.add_argument("--rounds", type=positive, default=1, help="how often each side is run")
    parser.add_argument("--set", action="append", default=[], help="any setting, as for `fintone run`")
    arguments = parser.parse_args()
    folder = arguments.model or MODEL_FOLDER
    rates = arguments.rates or (EMBEDDED_RATES if folder == MODEL_FOLDER else RATES)
    settings = ["training.loss=completion", "training.schedule=constant", "split.validation_per_class=100"]
    settings += ["curve_epochs=", *arguments.set]
    usual = ["--profile", "paper", "--data", arguments.data, "--base-model", str(folder), "--learning-rates", rates]
    usual += ["--epochs", arguments.epochs, *(word for setting in settings for word in ("--set", setting))]
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    figures: dict[str, float] = {}
    for number in range(arguments.rounds):
        with TemporaryDirectory() as scratch:
            homes = {side: Path(scratch) / side for side in SIDES}
            for side in SIDES if number % 2 == 0 else SIDES[::-1]:
                seconds[side].append(run_fintone(homes[side], [*usual, "--set", f"search={side}"]))
                print(f"round {number + 1}, {side:5} {seconds[side][-1]:9.1f} s", flush=True)
            check_equal(homes)
            figures["cells dropped"] = len(ask(homes["race"], "FROM dropped_cells"))
    figures |= {f"{side}, s": statistics.median(runs) for side, runs in seconds.items()}
    ratios = {"all/race": figures["all, s"] / figures["race, s"]}
    print_figures(figures, ratios)
    more = {"model": folder.resolve().name, "data": Path(arguments.data).name, "learning rates": rates}
    write_results("race", figures, ratios, **more, epochs=arguments.epochs, settings=settings)


if __name__ == "__main__":
    main()
