"""The flow `score`: headlines without labels in, labels and probabilities out."""

from prefect import flow
from prefect.runtime import deployment

from flows.credentials import provide_hub_token
from flows.deployment import begin_flow
from ingestion.streams import STREAM
from operations.answers import check_evaluated
from operations.homes import created_home
from operations.scoring_run import ScoredSource
from operations.worker import close_worker, start_worker
from schemas.errors import InputError
from schemas.score import ScoreSettings
from tasks.scoring import score_headlines, watch_drift, watch_fresh_accuracy


@flow(name="score", flow_run_name="score {settings.source} with {settings.model}")
def score(settings: ScoreSettings) -> ScoredSource:
    """Label headlines with the champion, or with a named cell, and watch how answers drift and whether accuracy drops.

    Args:
        settings: The source, the model, and where the answers go. Headlines that the model has answered before are not
            scored again.

    Returns:
        The scoring: its answers are in the view `scores`, its drift in `score_drift`.
    """
    begin_flow()
    if settings.source == STREAM and deployment.id:
        raise InputError(f"source {STREAM!r}: a deployment has no standard input; give the path of a file or a folder")
    provide_hub_token()
    created_home()
    start_worker()
    try:
        scored = score_headlines(settings)
    finally:
        close_worker()
    watch_drift(scored, settings.drift_tolerance)
    if settings.evaluate:
        watch_fresh_accuracy(scored)
    check_evaluated(scored)
    return scored
