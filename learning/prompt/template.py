"""The prompt: formats a headline as text for the model.

The wording is the study's (Camargo 2024, section 4.2), byte for byte: the training form has the label, the test form
stops after the equals sign. Examples are between instruction and headline, each in the training form on its own line. A
context is a line before its headline, also before that of an example. `prompt.template` defines the text in the
brackets; if it has a place for the instrument and a headline has none, the brackets contain just the headline.
"""

from learning.prompt.question import context_of, examples_of, instrument_of
from schemas.cell import PromptSettings
from schemas.label import LABELS, Label

_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_GUARD = str.maketrans({"[": "(", "]": ")"} | dict.fromkeys(_LINE_ENDS, " "))


def scoring_text(headline: str, prompt: PromptSettings) -> str:
    """The test form: the instruction, a blank line, the examples, the headline in square brackets, and ` =`.

    A headline cannot end its brackets early: its own square brackets become round ones, its line ends spaces. No
    headline of FinancialPhraseBank has either. A context is changed in the same way.
    """
    shown = (f"{_format(example, prompt)} {prompt.label_words[label]}\n" for example, label in examples_of(headline))
    return f"{prompt.instruction}\n\n{''.join(shown)}{_format(headline, prompt)}"


def _format(headline: str, prompt: PromptSettings) -> str:
    context, instrument = context_of(headline), instrument_of(headline)
    line = f"{context.translate(_GUARD)}\n" if context else ""
    fits_template = instrument or not prompt.names_instrument
    text = prompt.template.format(headline=headline, instrument=instrument) if fits_template else headline
    return f"{line}[{text.translate(_GUARD)}] ="


def training_text(headline: str, label: Label, prompt: PromptSettings) -> str:
    """The training form: the test form, a space and the label's word."""
    return f"{scoring_text(headline, prompt)} {prompt.label_words[label]}"


def spellings(prompt: PromptSettings) -> dict[Label, tuple[str, ...]]:
    """The spellings that count as each label: its word, and with `any` also capitalised and in capitals."""
    if prompt.spellings == "exact":
        return {label: (prompt.label_words[label],) for label in LABELS}
    words = {label: prompt.label_words[label] for label in LABELS}
    return {label: tuple(dict.fromkeys((word, word.capitalize(), word.upper()))) for label, word in words.items()}
