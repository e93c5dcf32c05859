"""`fintone run`: run a study as a flow and print its leaderboard. Heavy libraries are imported when needed."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.completion import complete_profile
from cli.options import assign, read_tags
from cli.output.console import print_lines, print_notice, print_query, print_text, stderr, stdout
from cli.own_data import describe_rules, find_rules
from cli.reading import build_recalling, with_reading_options
from embedded.paths import EMBEDDED
from schemas.errors import FailureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.config import StudyConfig
    from schemas.split import Repeats
    from storage.home import Home


@with_reading_options
def run(
    profile: Annotated[
        str,
        typer.Option(
            help="The study: demo, desk, desk-pt or paper, or a YAML file of your own.", autocompletion=complete_profile
        ),
    ] = "demo",
    data: Annotated[str | None, typer.Option(help="Labelled headlines: `embedded`, a path, or hf:ORG/NAME.")] = None,
    base_model: Annotated[
        list[str] | None, typer.Option(help="`embedded`, a folder, or ORG/NAME[@REVISION]; several are compared.")
    ] = None,
    grid: Annotated[
        list[str] | None, typer.Option(help="A setting that varies, as in lora.r=16,64; may be repeated.")
    ] = None,
    learning_rates: Annotated[str | None, typer.Option(help="Peak learning rates, as in 2e-4,1e-3.")] = None,
    epochs: Annotated[str | None, typer.Option(help="Passes over the train part, as in 1,3.")] = None,
    temperatures: Annotated[str | None, typer.Option(help="Sampling temperatures, as in 0.1,1,10.")] = None,
    seed: Annotated[str | None, typer.Option(help="Seed of initialisation, order and dropout.")] = None,
    reading: "Sequence[str]" = (),
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as in --set lora.r=16; may be repeated.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the study, for people; changes no id.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag of the study, as in desk=fx; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,  # noqa: FBT002
) -> None:
    """Run a study: ingest, split, fine-tune each cell of the grid, evaluate, print the leaderboard.

    The profile demo keeps every row and splits as in the published study. With your own --data it merges copies and
    keeps near copies in one part, like the profile desk; FinancialPhraseBank is treated as in that study. A source that
    was ingested before is read with the same settings, unless options override them.

    Example: fintone run --learning-rates 3e-4,1e-3 --epochs 2 --grid lora.r=16,64
    """
    from schemas.overrides import refuse_conflicts

    flags = {
        "data.source": data,
        "grid.learning_rates": learning_rates,
        "grid.epochs": epochs,
        "decoding.temperatures": temperatures,
        "grid.seeds": seed,
        "study_name": name,
        "tags": read_tags(tag),
    }
    varied = [f"grid.{assignment.strip().removeprefix('grid.')}" for assignment in grid or []]
    assignments = [*assign(flags), *reading, *varied, *(set_ or [])]
    refuse_conflicts([*(f"base_model.name={model}" for model in (base_model or [])[:1]), *assignments])
    rules = find_rules(profile, assignments)
    config = build_recalling(profile, base_model or [], [*rules, *assignments])
    notes = [describe_rules(rules)] if rules else []
    if dry_run:
        from operations.preview import describe_study

        print_lines([*describe_study(config), *(("note", note) for note in notes)])
    else:
        run_study(config, notes)


def run_study(config: "StudyConfig", notes: "Sequence[str]" = ()) -> None:
    """Check the inputs, run the study as a flow and print its leaderboard.

    Args:
        config: The study.
        notes: Lines to print before it starts.

    Raises:
        InputError: An input cannot be used.
        FailureError: Cells failed.
    """
    from cli.session.session import check_users_home, prefect_session
    from operations.homes import created_home
    from operations.preview import check_inputs
    from operations.worker import start_worker
    from storage.interruptions import mark_interrupted
    from storage.opening import waiting_without_end

    check_users_home()
    from tasks.cluster import check_runner

    check_runner(config.runner)
    lines = [f"note: {note}" for note in notes]
    check_inputs(config, lines.append)
    for line in lines:
        print_notice(line)
    home = created_home()
    mark_interrupted(home.warehouse)
    if config.runner.kind == "local":
        start_worker(for_training=True)
    with prefect_session(stderr, printed_topics=frozenset({"source"})):
        from flows.retrain import retrain

        study_id = retrain(config)
    with waiting_without_end():
        _print_leaderboard(home, study_id, synthetic=config.data.source == EMBEDDED)
        _check_complete(home, study_id)


def _check_complete(home: "Home", study_id: str) -> None:
    """Raise an error if cells of a study failed."""
    from operations.missing import describe_lost_cells
    from storage.cells import load_missing

    missing = load_missing(home.warehouse, study_id)
    if missing:
        raise FailureError(f"study {study_id}: {describe_lost_cells(missing)}; the same command tries again")


def _print_champion(home: "Home", study_id: str, repeats: "Repeats | None") -> None:
    """Print what the gate decided on a study at the time, and which cell is champion now."""
    from reporting.promotion import describe_advice, describe_champion, describe_decision, describe_repeats_unjudged
    from storage.champions import load_champion, load_decision

    decision, champion = load_decision(home.warehouse, study_id), load_champion(home.warehouse)
    if decision:
        print_text(describe_decision(decision))
        print_text(f"reason: {decision['reason']}")
        advice = describe_advice(decision, champion)
        if advice:
            print_text(advice)
    elif repeats:
        print_text(describe_repeats_unjudged(repeats))
    print_text(f"champion now: {describe_champion(champion)}")


def _print_leaderboard(home: "Home", study_id: str, *, synthetic: bool) -> None:
    from cli.output.leaderboard import build_table
    from cli.output.results import show
    from learning.study.naming import explain_abbreviated
    from operations.missing import find_best
    from reporting.verdict import describe_baseline, describe_drop, describe_spread
    from schemas.listing import cut
    from storage.cells import load_short_ids
    from storage.comparisons import load_verdicts
    from storage.evaluations import load_leaderboard
    from storage.examples import example_queries
    from storage.folds import load_repeats, load_spread
    from storage.races import load_drops

    rows = load_leaderboard(home.warehouse, study_id)
    best = find_best(home.warehouse, study_id)
    repeats = load_repeats(home.warehouse, study_id)
    pooled = f" of {repeats}" if repeats else ""
    title = f"study {study_id}, {rows[0]['n']} test headlines{pooled}{' (synthetic)' if synthetic else ''}"
    stdout.print()
    stdout.print(build_table(rows, title, load_short_ids(home.warehouse)))
    for word, meaning in explain_abbreviated((row["cell_name"], json.loads(row["settings"])) for row in rows).items():
        print_text(f"{word}: {show(cut(meaning))}")
    for dropped in load_drops(home.warehouse, study_id):
        print_text(f"{dropped.name}: {describe_drop(dropped.drop.epoch, dropped.drop.p_value)}")
    verdicts = load_verdicts(home.warehouse, study_id, best.cell_id)  # none without baselines
    verdict = verdicts.get(best.temperature)
    stdout.print(f"\nbest on validation: cell {best.cell_id}")
    if verdict:
        print_text(f"at temperature {best.temperature:g} on test, {describe_baseline('it', verdict)}")
    spread = describe_spread(load_spread(home.warehouse, study_id, best.cell_id, best.temperature), repeats)
    if spread:
        print_text(spread)
    _print_champion(home, study_id, repeats)
    page = home.report(study_id)
    if page.exists():
        print_text(f"report: {page}")
    stdout.print("next, for example:")
    if verdict:
        print_text(f"  fintone compare {best.cell_id} {verdict.baseline_cell_id}")
    for query in example_queries(study_id, best.cell_id, best.temperature):
        print_query(query)
