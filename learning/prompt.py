"""The prompt: headline in, text for the model out. Knows nothing of tokens or models.

The wording is the study's (Camargo 2024, section 4.2), to the byte: the training form carries the label, the test form
stops after the equals sign.
"""

from schemas.config import PromptSettings
from schemas.label import Label


def scoring_text(headline: str, prompt: PromptSettings) -> str:
    """The test form: the instruction, a blank line, the headline in square brackets, and ` =`."""
    return f"{prompt.instruction}\n\n[{headline}] ="


def training_text(headline: str, label: Label, prompt: PromptSettings) -> str:
    """The training form: the test form, a space and the label's word."""
    return f"{scoring_text(headline, prompt)} {prompt.label_words[label]}"
