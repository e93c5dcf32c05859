"""The task of the promotion gate: the cell that validation chose is judged on test, and the decision recorded."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from prefect import task

from operations.decision import Challenge, Measured, decide
from operations.missing import find_best
from operations.records import evaluation_record, load_part, prediction_rows
from operations.rivals import describe_left_out, meet, meet_baseline
from operations.worker import drop_shared, run_job
from reporting.promotion import describe_repeats_unjudged
from schemas.errors import InputError
from schemas.plan import StudyPlan
from schemas.promotion import Champion
from storage.home import Home
from tasks.cells import is_worth_a_retry
from tasks.progress import announce

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from learning.study.promotion import Rival

RETRIES = 5
"""Retries of a judgement: each other study that is judged in the meantime costs one."""


def _is_worth_a_retry(task: Any, run: Any, state: "State[Any]") -> bool:
    """Whether another decision came in between, or the failure may be temporary."""
    from storage.champions import ChampionChangedError

    error = state.result(raise_on_failure=False)
    return isinstance(error, ChampionChangedError) or is_worth_a_retry(task, run, state)


@task(task_run_name="judge challenger", retries=RETRIES, retry_condition_fn=_is_worth_a_retry)
def judge_challenger(study: StudyPlan) -> None:
    """Judge the cell that validation chose against every floor and the champion; if it passes, promote it.

    A study is judged once. It is not judged if it lacks cells, since validation would choose among the others, nor if
    it has folds, since then no adapter has seen all of train.

    Raises:
        ChampionChangedError: Another decision came in between.
    """
    from learning.study.identity import decoding_id, evaluation_id
    from storage.cells import load_missing
    from storage.champions import load_decision, save_decision
    from storage.looks import load_standing

    if repeats := study.config.split.repeats:
        announce(describe_repeats_unjudged(repeats))
        return
    warehouse = Home.from_environment().warehouse
    known = load_decision(warehouse, study.study_id)
    if known or load_missing(warehouse, study.study_id):
        announce("not judged: " + ("the study was judged before" if known else "cells are missing"))
        return
    best, decoding = find_best(warehouse, study.study_id), decoding_id(study.config.decoding)
    challenger = Champion(best.cell_id, best.temperature)
    judged = evaluation_id(challenger.cell_id, "test", challenger.temperature, decoding)
    challenge = Challenge(study.study_id, challenger, judged)
    standing = load_standing(warehouse, study.split_id, judged)
    measure = partial(_measure, study, challenge, standing.champion)
    decision = decide(challenge, standing, study.config.promotion, measure)
    save_decision(warehouse, decision, standing.champion, standing.number)
    verb = "promoted to champion" if decision.decision == "promoted" else "not promoted"
    announce(f"cell {challenger.cell_id} {verb}: {decision.reason}")


def _measure(study: StudyPlan, challenge: Challenge, champion: Champion | None) -> Measured:
    """The challenger's figures on test, with those of the best baseline and the champion."""
    from storage.evaluations import load_leaderboard

    warehouse = Home.from_environment().warehouse
    board = load_leaderboard(warehouse, study.study_id)
    [challenger] = [row for row in board if (row["cell_id"], row["temperature"]) == challenge.cell]
    return Measured(
        challenger["accuracy"],
        challenger["unparsed_rate"],
        meet_baseline(warehouse, study.study_id, challenge.evaluation_id),
        _meet_champion(study, champion, challenge.evaluation_id) if champion else None,
        describe_left_out(study.config.baselines),
    )


def _meet_champion(study: StudyPlan, champion: Champion, judged: str) -> "Rival":
    """The champion on this study's test part, evaluated now if it was not before."""
    from learning.models.adapter_files import AdapterError
    from learning.prompt.not_finite import NotFiniteError
    from learning.study.promotion import Rival

    try:
        other = _evaluate_champion(study, champion)
    except (InputError, AdapterError, NotFiniteError) as error:  # it cannot be scored: a person has to decide
        return Rival(champion.cell_id, None, str(error))
    return meet(Home.from_environment().warehouse, champion.cell_id, judged, other)


def _evaluate_champion(study: StudyPlan, champion: Champion) -> str:
    """The champion's evaluation on the test part of a study, scored if the warehouse has none.

    Raises:
        InputError: It cannot be loaded.
    """
    from learning.study.identity import decoding_id, evaluation_id
    from learning.worker.jobs import ScoringJob
    from operations.judged import choose_decoding
    from operations.models import load_model
    from storage.cells import load_cell, load_unfinished
    from storage.evaluations import load_evaluated, save_evaluations

    home = Home.from_environment()
    cell = load_cell(home.warehouse, champion.cell_id)
    decoding = choose_decoding(home.warehouse, champion)
    other_split = None if cell.record.split_id == study.split_id else study.split_id
    identifier = evaluation_id(champion.cell_id, "test", champion.temperature, decoding_id(decoding), other_split)
    if identifier in load_evaluated(home.warehouse, champion.cell_id):
        return identifier
    model = load_model(home, cell)
    announce(f"champion {champion.cell_id}: scored on the test part of this study")
    decoding = decoding.model_copy(update={"temperatures": (champion.temperature,)})
    test = load_part(study, "test", model.prompt)
    parts = [replace(test, texts=model.ask(test.texts))]
    job = ScoringJob(model.base, model.fine_tune, parts, model.prompt, decoding)
    try:
        [result] = run_job(job, lambda _: None, f"score champion {champion.cell_id}")
    finally:
        needed = {unfinished.cell_id for unfinished in load_unfinished(home.warehouse)}
        drop_shared({champion.cell_id} - needed, [])
    record = evaluation_record(champion.cell_id, study.split_id, decoding, identifier, result)
    save_evaluations(home.warehouse, [record], prediction_rows(identifier, result))
    return identifier
