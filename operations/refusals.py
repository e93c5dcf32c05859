"""What is kept of a source that is refused as a whole, and how its rejected rows are found."""

from typing import TYPE_CHECKING

from operations.homes import created_home
from schemas.errors import FailureError, InputError
from schemas.source import DataSettings
from storage.home import Home

if TYPE_CHECKING:
    from ingestion.ingest import Ingestion
    from storage.source_records import StoredIngestion


def check_ingestion(ingestion: "Ingestion", data: DataSettings) -> None:
    """Refuse a source that was just read and not kept.

    Raises:
        RefusedSourceError: Too many rows are rejected, or none can be used.
    """
    from ingestion.refusals import Account, check_account

    counts = (ingestion.rows_read, ingestion.rows_added, len(ingestion.accepted), len(ingestion.left_out))
    check_account(Account(*counts, ingestion.rejected, ingestion.columns), data)


def check_known(ingest_id: str, known: "StoredIngestion", data: DataSettings) -> None:
    """Refuse a source that was ingested before, under another bound.

    Raises:
        RefusedSourceError: More rows are rejected than the bound allows; the message says where they are.
    """
    from ingestion.refusals import Account, RefusedSourceError, check_account
    from storage.headlines import load_rejected

    if known.rows_rejected <= data.max_rejected * (known.rows_read + known.rows_added - known.rows_left_out):
        return
    rejected = load_rejected(Home.from_environment().warehouse, ingest_id)
    counts = (known.rows_read, known.rows_added, known.rows_accepted, known.rows_left_out)
    try:
        check_account(Account(*counts, rejected, known.columns), data)
    except RefusedSourceError as refusal:
        raise refusal.with_note(_point_at("rejected_rows", ingest_id)) from None


def keep_if_refused(ingestion: "Ingestion", data: DataSettings) -> None:
    """Refuse a source that was just read, as `check_ingestion`, and keep its rejected rows for SQL."""
    from ingestion.refusals import RefusedSourceError

    try:
        check_ingestion(ingestion, data)
    except RefusedSourceError as refusal:
        raise refusal.with_note(_keep(ingestion, str(refusal))) from None


def _keep(ingestion: "Ingestion", message: str) -> str:
    """Keep the rejected rows; returns where they are, or why they are not kept."""
    from storage.refusals import Refusal, save_refusal

    try:
        home = created_home()
        refusal = Refusal(ingestion.ingest_id, ingestion.location, message)
        save_refusal(home.warehouse, refusal, ingestion.rejected)
    except (InputError, FailureError) as error:
        return f"the rejected rows are not kept ({error})"
    return _point_at("refused_rows", ingestion.ingest_id)


def _point_at(view: str, ingest_id: str) -> str:
    return f"all rejected rows: fintone sql \"FROM {view} WHERE ingest_id = '{ingest_id}'\""
