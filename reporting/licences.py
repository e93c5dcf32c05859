"""The licences of data and models, as far as fintone knows. It reads no licence file."""

from embedded.paths import EMBEDDED

PHRASEBANK_LICENCE = "CC BY-NC-SA 3.0 (FinancialPhraseBank, Malo et al. 2014): no commercial use"


def describe_data_licence(source: str, kind: str, *, synthetic: bool) -> str:
    """The licence of a source, by its kind."""
    if synthetic:
        return "that of fintone, which generated it"
    if "phrasebank" in kind:
        return PHRASEBANK_LICENCE
    return f"not known to fintone; ask whoever gave you {source}"


def describe_model_licence(base_model: str) -> str:
    """The licence of a base model."""
    return "that of fintone, which made it" if base_model == EMBEDDED else f"that of {base_model}; see its card"


def forbids_commerce(licence: str) -> bool:
    """Whether a licence of data, as `describe_data_licence` names it, forbids commercial use."""
    return licence == PHRASEBANK_LICENCE
