"""Computes ids of masked texts that an upgrade removed, by ingestion's rule, which SQL cannot express."""

from pathlib import Path


def complete_masks(warehouse: Path) -> None:
    """Compute the ids of texts, as in this version, for each headline of the warehouse that lacks them.

    Splits and comparisons with the champion then recognise headlines of earlier versions as near copies of new ones.
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
