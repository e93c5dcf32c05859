"""What the card of an exported causal language model says: what the folder holds, and how it is asked."""

from schemas.cell import CellSettings, PromptSettings
from schemas.model_card import EXAMPLES_FILE, SCRIPT, ExportForm


def describe_export(settings: CellSettings, *, merge: bool) -> ExportForm:
    """A LoRA adapter, or whole weights with the adapter in them."""
    return ExportForm(
        is_whole=merge,
        summary="whole weights with the adapter in them" if merge else "a LoRA adapter in PEFT's format",
        description=_describe_files(settings.base_model.quantization, merge=merge),
        library="transformers" if merge else "peft",
        task="text-generation",
        usage=(*_describe_script(settings, merge=merge), "", *_describe_prompt(settings.prompt)),
    )


def _describe_files(quantization: str, *, merge: bool) -> str:
    if not merge:
        quantised = " quantised to NF4, as it was trained on" if quantization == "nf4" else ""
        return f"The folder holds a LoRA adapter in PEFT's format, for that base{quantised}."
    if quantization == "nf4":
        return (
            "The folder holds whole weights that are not quantised: those of the NF4 base that the adapter was trained "
            "on, dequantised, with the adapter added. The figures were measured on that model."
        )
    return "The folder holds whole weights: those of the base with the adapter added."


def _describe_script(settings: CellSettings, *, merge: bool) -> list[str]:
    """How to ask it by the script of the export, as lines of Markdown."""
    needed = ["transformers", "accelerate"] if merge else ["transformers", "peft"]
    needed += ["bitsandbytes"] if settings.base_model.quantization == "nf4" and not merge else []
    needed += ["scikit-learn"] if settings.prompt.examples and settings.prompt.examples_by == "nearest" else []
    shown = {"context": settings.prompt.context, "instrument": settings.prompt.names_instrument}
    names = [name for name, is_shown in shown.items() if is_shown]
    given = "".join(f', {name}="{name.upper()}"' for name in names)
    options = "".join(f' --{name} "{name.upper()}"' for name in names)
    return [
        (
            f"`{SCRIPT}` gives the probability of each label as fintone computes it, with top-k and top-p of the "
            f"figures (in `prompt.json`). It needs {', '.join(needed)}, and not fintone. In a shell and in Python:"
        ),
        "",
        "```sh",
        f'python FOLDER/{SCRIPT} "Profit rose in the third quarter"{options}',
        "```",
        "",
        "```python",
        "from runpy import run_path",
        "",
        f'classifier = run_path("FOLDER/{SCRIPT}")["Classifier"]()',
        f'classifier.classify("Profit rose in the third quarter"{given}, temperature=1.0)',
        "```",
        *([] if merge else ["", "`base_model_name_or_path` in `adapter_config.json` says where the base is."]),
    ]


def _describe_prompt(prompt: PromptSettings) -> list[str]:
    """The text before an answer, and where its examples and its context come from, as lines of Markdown."""
    context = ["CONTEXT"] if prompt.context else []
    examples = [f"{_show(prompt, f'EXAMPLE {number}')} LABEL" for number in range(1, prompt.examples + 1)]
    words = ", ".join(f"` {word}` ({label})" for label, word in prompt.label_words.items())
    lines = [
        (
            f"It asks with the text below; the next tokens are {words}. A first token that has such a word in it "
            "counts too. Square brackets within a headline or a context become round ones, line ends spaces."
        ),
        "",
        "```",
        prompt.instruction,
        "",
        *(line for shown in (*examples, _show(prompt, "HEADLINE")) for line in (*context, shown)),
        "```",
    ]
    if context:
        lines += [
            "",
            "A context is the text that the source has for a headline; if there is none, the line is left out.",
        ]
    if prompt.names_instrument:
        lines += [
            "",
            "An instrument is what the headline is about; if there is none, the brackets hold just the headline.",
        ]
    return [*lines, *(["", _describe_examples(prompt)] if examples else [])]


def _show(prompt: PromptSettings, headline: str) -> str:
    """The last line of the prompt, with words in capitals as placeholders."""
    return f"[{prompt.template.format(headline=headline, instrument='INSTRUMENT')}] ="


def _describe_examples(prompt: PromptSettings) -> str:
    if prompt.examples_by == "fixed":
        return (
            f"The examples are the same before every headline: `shown` in `{EXAMPLES_FILE}`, in that order. In place "
            "of one that is a near copy of the headline, fintone shows another of `pool`."
        )
    return (
        f"The examples are the headlines of `pool` in `{EXAMPLES_FILE}` most similar to the headline: by the cosine of "
        "TF-IDF vectors of characters (2 to 5 within a word). fintone leaves out near copies of the headline."
    )
