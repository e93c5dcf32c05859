"""Where a text is in its source: the warehouse stores headlines, not their rows."""

from collections.abc import Collection

from ingestion.identity import normalise_text, text_id
from ingestion.sources import Place, Reading, iterate_rows
from schemas.source import DataSettings


def find_rows(source: Place, settings: DataSettings, text_ids: Collection[str]) -> dict[str, tuple[str, int]]:
    """The file and the number of the first row that holds each text; stops reading once all are found.

    Args:
        source: The source.
        settings: How it is read.
        text_ids: Ids of normalised texts.

    Raises:
        InputError: The source cannot be read.
    """
    wanted, found, reading = set(text_ids), dict[str, tuple[str, int]](), Reading()
    for row in iterate_rows(source, settings, reading):
        if row.text is None or (text := text_id(normalise_text(row.text))) not in wanted:
            continue
        found[text] = (source.files[len(reading.rows) - 1].name, reading.rows[-1])
        wanted.remove(text)
        if not wanted:
            break
    return found
