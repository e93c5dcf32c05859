"""The two commands that run a flow, from checked settings to what they print. Heavy libraries load when due."""

from typing import TYPE_CHECKING

from flows.console import print_lines, score_progress, stderr, stdout, tell
from reporting.csv_rows import CsvRows
from schemas.errors import FailureError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from reporting.score_files import Write
    from schemas.config import DataSettings, ScoreSettings, StudyConfig
    from storage.home import Home


def run_ingestion(data: "DataSettings") -> None:
    """Ingest in this process; where a Prefect server is set, as a flow run that its UI shows."""
    from flows.account import describe_ingestion
    from flows.session import is_server_set, prefect_session
    from storage.data_report import load_data_report
    from storage.home import Home

    if is_server_set():
        with prefect_session(stderr):
            from flows.ingest import ingest

            ingested = ingest(data)
    else:
        from tasks.intake import take_in

        ingested = take_in(data, tell)
    report = load_data_report(Home.from_environment().warehouse, ingested.ingest_id)
    lines, queries = describe_ingestion(report, is_new=ingested.is_new)
    print_lines(lines)
    for shown, query in queries:
        stdout.print(f"\n{shown}:")
        stdout.print(f'  fintone sql "{query}"', soft_wrap=True, markup=False)


def run_scoring(settings: "ScoreSettings", form: "Literal['csv', 'jsonl'] | None") -> None:
    """Score in this process; where a Prefect server is set, as a flow run that its UI shows.

    Answers go to standard output where they go to no file; then `form` says how.
    """
    from flows.session import is_server_set, prefect_session
    from storage.home import Home
    from storage.warehouse import prepare_warehouse
    from tasks.answers import answers_file, choose_model, score_source, tell_counts, tell_unparsed
    from tasks.worker import close_worker, start_worker

    home = Home.from_environment()
    if home.warehouse.exists():
        prepare_warehouse(home.warehouse)
    chosen = choose_model(settings)  # what is wrong with it is told before anything starts
    if settings.output is not None and is_server_set():
        with prefect_session(stderr):
            from flows.score import score

            score(settings)
        return
    start_worker()
    try:
        csv_rows = CsvRows(raw=settings.raw)
        with answers_file(settings, csv_rows) as to_file, score_progress(stderr) as show:
            write = to_file or _answers_to_stdout(form or "csv", csv_rows)
            scored = score_source(settings, chosen, write, show, tell)
    finally:
        close_worker()
    tell(tell_counts(scored))
    csv_rows.tell(tell)
    warning = tell_unparsed(scored)
    if warning:
        tell(warning)
    _tell_drift(home, scored.scoring_id, settings.drift_tolerance)


def _answers_to_stdout(form: "Literal['csv', 'jsonl']", csv_rows: "CsvRows") -> "Write":
    from flows.console import StandardOutput
    from reporting.score_files import answers_to_stream

    return answers_to_stream(StandardOutput(), form, csv_rows)


def _tell_drift(home: "Home", scoring_id: str, tolerance: float) -> None:
    from reporting.verdict import tell_drift
    from storage.scores import load_drift

    for line in tell_drift(load_drift(home.warehouse, scoring_id), tolerance):
        tell(line)


def run_study(config: "StudyConfig", notes: "Sequence[str]" = ()) -> None:
    """Check the inputs, run the study as a flow and print its leaderboard.

    Args:
        config: The study.
        notes: What is told before it starts.

    Raises:
        InputError: An input is not fit.
        FailureError: Cells failed.
    """
    from flows.preview import check_inputs
    from flows.session import prefect_session
    from storage.home import Home
    from storage.interruptions import mark_interrupted
    from storage.opening import waiting_without_end
    from storage.warehouse import prepare_warehouse
    from tasks.cluster import check_runner
    from tasks.worker import start_worker

    check_runner(config.runner)
    told = [f"note: {note}" for note in notes]
    check_inputs(config, told.append)
    for line in told:
        tell(line)
    home = Home.from_environment()
    home.create()
    prepare_warehouse(home.warehouse)
    mark_interrupted(home.warehouse)
    if config.runner.kind == "local":
        start_worker()
    with prefect_session(stderr):
        from flows.retrain import retrain

        study_id = retrain(config)
    with waiting_without_end():
        _print_leaderboard(home, study_id, synthetic=config.data.source == "embedded")
        _check_complete(home, study_id)


def _check_complete(home: "Home", study_id: str) -> None:
    """Raise where cells of a study failed."""
    from storage.studies import load_missing
    from tasks.missing import tell_missing

    missing = load_missing(home.warehouse, study_id)
    if missing:
        raise FailureError(f"study {study_id}: {tell_missing(missing)}; the same command tries again")


def _print_champion(home: "Home", study_id: str) -> None:
    """What the gate decided on a study, on its day, and who is champion now."""
    from reporting.promotion import tell_champion, tell_decision
    from storage.champions import load_champion, load_decision

    decision = load_decision(home.warehouse, study_id)
    if decision:
        stdout.print(f"{tell_decision(decision)}\nreason: {decision['reason']}", markup=False, soft_wrap=True)
    stdout.print(f"champion now: {tell_champion(load_champion(home.warehouse))}", markup=False, soft_wrap=True)


def _print_leaderboard(home: "Home", study_id: str, *, synthetic: bool) -> None:
    from flows.leaderboard import build_table
    from learning.grid import best_row
    from reporting.verdict import tell_baseline
    from storage.comparisons import load_verdicts
    from storage.evaluations import load_leaderboard, load_selection
    from storage.examples import example_queries

    rows = load_leaderboard(home.warehouse, study_id)
    best = best_row(load_selection(home.warehouse, study_id))
    title = f"study {study_id}, {rows[0]['n']} test headlines{' (synthetic)' if synthetic else ''}"
    stdout.print()
    stdout.print(build_table(rows, title))
    verdicts = load_verdicts(home.warehouse, study_id, best["cell_id"])  # none without baselines
    verdict = verdicts.get(best["temperature"])
    stdout.print(f"\nbest on validation: cell {best['cell_id']}")
    if verdict:
        stdout.print(f"at temperature {best['temperature']:g} on test, {tell_baseline('it', verdict)}", markup=False)
    _print_champion(home, study_id)
    page = home.report(study_id)
    if page.exists():
        stdout.print(f"report: {page}", markup=False, soft_wrap=True)
    stdout.print("next, for example:")
    if verdict:
        stdout.print(f"  fintone compare {best['cell_id']} {verdict.baseline_cell_id}", soft_wrap=True)
    for query in example_queries(study_id, best["cell_id"], best["temperature"]):
        stdout.print(f'  fintone sql "{query}"', soft_wrap=True, markup=False)
