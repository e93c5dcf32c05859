"""Ids of masked texts that an upgrade forgot, computed again: the rule that makes them is ingestion's, not SQL's."""

from pathlib import Path


def complete_masks(warehouse: Path) -> None:
    """Give each headline of the warehouse that lacks the ids of its text those of this version.

    Headlines of earlier versions are then known as near copies of what is ingested now, and neither a split nor a
    comparison with the champion takes them for unrelated.
    """
    from ingestion.identity import normalise_text, text_id
    from ingestion.masking import mask_texts
    from storage.headlines import load_unmasked, save_masks

    unmasked = load_unmasked(warehouse)
    if unmasked.empty:
        return
    normalised = [normalise_text(text) for text in unmasked["text"].tolist()]
    ids = {"text_id": map(text_id, normalised), "masked_id": map(text_id, mask_texts(normalised))}
    save_masks(warehouse, unmasked[["headline_id"]].assign(**{name: list(values) for name, values in ids.items()}))
