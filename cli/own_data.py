"""How `fintone run` treats a user's own headlines under the profile demo, whose rules are those of the study's data.

The study keeps every row, and its split ignores copies. Copies among uncleaned headlines would then be in both train
and test. So the rules of the profile desk apply to them, unless the user sets others.
"""

from collections.abc import Sequence

from embedded.paths import EMBEDDED

PROFILE = "demo"
RULES = ("data.duplicates=merge", "split.method=hashed")


def find_rules(profile: str, assignments: Sequence[str]) -> list[str]:
    """The rules that apply because the headlines are the user's own, as `any.setting=value`.

    There are none under another profile, for the embedded headlines, for FinancialPhraseBank, and for settings that the
    user gives.

    Args:
        profile: The name of the profile.
        assignments: The settings that the user gives.
    """
    pairs = (assignment.partition("=") for assignment in assignments)
    settings = {name.strip(): value.strip() for name, _, value in pairs}
    if profile != PROFILE or not _is_own(settings.get("data.source", EMBEDDED)):
        return []
    return [rule for rule in RULES if rule.partition("=")[0] not in settings]


def describe_rules(rules: Sequence[str]) -> str:
    """Describe the rules for the user's own headlines, and how to use those of the study instead."""
    return (
        f"own headlines: {' and '.join(rules)}, as in the profile desk, so that train has no copy of a test headline; "
        "for the study's rules add --set data.duplicates=keep --set split.method=study"
    )


def _is_own(source: str) -> bool:
    from ingestion.phrasebank import is_phrasebank

    return source != EMBEDDED and not is_phrasebank(source)
