"""How `fintone run` treats a user's own headlines under the profile demo, whose rules are those of the study's data.

The study keeps every row, and its draw heeds no copies. Of headlines that nobody cleaned, copies would then be in train
and in test. So the rules of the profile desk hold for them, unless the user sets others.
"""

from collections.abc import Sequence

PROFILE = "demo"
RULES = ("data.duplicates=merge", "split.method=hashed")


def find_rules(profile: str, assignments: Sequence[str]) -> list[str]:
    """The rules that hold because the headlines are the user's own, as `any.setting=value`.

    None under another profile, for the embedded headlines, for FinancialPhraseBank, and of settings that are given.

    Args:
        profile: The name of the profile.
        assignments: The settings that the user gives.
    """
    given = {name.strip(): value.strip() for name, _, value in (each.partition("=") for each in assignments)}
    if profile != PROFILE or not _is_own(given.get("data.source", "embedded")):
        return []
    return [rule for rule in RULES if rule.partition("=")[0] not in given]


def describe_rules(rules: Sequence[str]) -> str:
    """What holds for the user's own headlines, and how to have the rules of the study."""
    return (
        f"own headlines: {' and '.join(rules)}, as in the profile desk, so that train has no copy of a test headline; "
        "for the study's rules add --set data.duplicates=keep --set split.method=study"
    )


def _is_own(source: str) -> bool:
    from ingestion.phrasebank import is_phrasebank
    from ingestion.sources import EMBEDDED

    return source != EMBEDDED and not is_phrasebank(source)
