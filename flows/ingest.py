"""The flow `ingest`: from a source of labelled headlines to a snapshot, and no further."""

from prefect import flow

from flows.credentials import provide_hub_token
from flows.deployment import begin_flow
from schemas.plan import IngestedSource
from schemas.source import DataSettings
from tasks.data import ingest_source, publish_data_report


@flow(name="ingest", flow_run_name="ingest {data.source}")
def ingest(data: DataSettings, again: bool = False) -> IngestedSource:  # noqa: FBT001, FBT002 (a parameter of the flow)
    """Read and validate a source; its accepted headlines become a snapshot, its rejected rows are kept with reasons.

    Args:
        data: The source and how it is read. If it has not changed since it was ingested, the flow ends.
        again: Read it even if it has not changed, for example because an earlier version left out its dates.

    Returns:
        The ids under which its rows are in the warehouse.
    """
    begin_flow()
    provide_hub_token()
    ingested = ingest_source(data, again=again)
    if ingested.is_new:
        publish_data_report(ingested)
    return ingested
