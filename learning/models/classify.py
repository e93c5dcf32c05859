"""Classifies headlines with the causal language model in this folder: the probability of each label.

fintone puts a copy of this file into an export, and its answers are those that fintone records, since it counts the
same tokens as a label and samples in the same way. It needs transformers, and what README.md names with it. A call
from a shell prints a line of JSON for each headline:

    python classify.py "Profit rose in the third quarter" "Sales fell"

Headlines are read one at a time; `fintone score` is faster for many.
"""

import json
import math
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

FOLDER = Path(__file__).parent
GUARDS = str.maketrans("[]\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "()" + 10 * " ")
"""What could end the brackets around a headline early, and what stands there in its place."""


class Classifier:
    """The model in memory, with its prompt."""

    def __init__(self) -> None:
        """Load them from the folder of this file."""
        self.prompt: dict[str, Any] = json.loads((FOLDER / "prompt.json").read_text(encoding="utf-8"))
        self.tokenizer, self.model = _load(self.prompt["base"])
        self.shown: list[dict[str, str]] = []
        if self.prompt["examples"]:
            self.shown = json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))["shown"]

    @torch.inference_mode()
    def classify(
        self,
        headline: str,
        context: str = "",
        instrument: str = "",
        examples: Sequence[dict[str, str]] | None = None,
        temperature: float = 1.0,
    ) -> dict[str, float]:
        """The probability of each label, if tokens are sampled at a temperature, with top-k and top-p of prompt.json.

        Args:
            headline: Its text.
            context: The text that its source has for it, where the prompt shows contexts.
            instrument: What it is about, where the prompt names that.
            examples: Entries of examples.json, where the prompt shows examples; by default those that are always shown.
            temperature: Divides the logits.

        Returns:
            A probability for each label; what is missing to 1 is that of any other answer.
        """
        text = self._write(headline, context, instrument, self.shown if examples is None else examples)
        encoded = self.tokenizer(text, split_special_tokens=True)["input_ids"]
        prompt = encoded[:-1] if encoded[-1] == self.tokenizer.eos_token_id else encoded

        @cache
        def log_probabilities(answer: tuple[int, ...]) -> torch.Tensor:
            """[V], of each token after the prompt and these tokens."""
            tokens = torch.tensor([[*prompt, *answer]], device=self.model.device)
            return self._cut(self.model(tokens).logits[0, -1].double() / temperature).log_softmax(-1)

        def probability(answer: Sequence[int]) -> float:
            steps = (log_probabilities(tuple(answer[:place]))[token] for place, token in enumerate(answer))
            return math.exp(sum(map(float, steps)))

        return {label: sum(map(probability, answers)) for label, answers in self.prompt["answers"].items()}

    def _cut(self, scores: torch.Tensor) -> torch.Tensor:
        """[V] scores, minus infinity where top-k and then top-p leave a token out, as in `generate`."""
        top_k, top_p = self.prompt["top_k"], self.prompt["top_p"]
        if top_k is not None and top_k < len(scores):
            scores = scores.masked_fill(scores < scores.topk(top_k).values[-1], -torch.inf)
        if top_p is not None:
            ascending, order = scores.sort()
            cut = ascending.softmax(-1).cumsum(-1) <= 1 - top_p
            cut[-1] = False
            scores = scores.index_fill(0, order[cut], -torch.inf)
        return scores

    def _write(self, headline: str, context: str, instrument: str, examples: Sequence[dict[str, str]]) -> str:
        if len(examples) < self.prompt["examples"]:
            raise ValueError(f"the prompt has {self.prompt['examples']} examples; README.md says which to give")
        labelled = (
            f"{self._show(each['headline'], each.get('context', ''), each.get('instrument', ''))} "
            f"{self.prompt['label_words'][each['label']]}\n"
            for each in examples
        )
        return f"{self.prompt['instruction']}\n\n{''.join(labelled)}{self._show(headline, context, instrument)}"

    def _show(self, headline: str, context: str, instrument: str) -> str:
        template = self.prompt["template"]
        plain = "{instrument}" in template and not instrument
        text = headline if plain else template.format(headline=headline, instrument=instrument)
        line = f"{context.translate(GUARDS)}\n" if context and self.prompt["context"] else ""
        return f"{line}[{text.translate(GUARDS)}] ="


def _load(base: dict[str, str] | None) -> tuple[Any, Any]:
    """The tokenizer and the model: whole, or an adapter on a base that is loaded as it was for the training."""
    if base is None:
        model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype="auto", device_map="auto")
        return AutoTokenizer.from_pretrained(FOLDER), model.eval()
    from peft import PeftConfig, PeftModel

    dtype = getattr(torch, base["dtype"])
    four_bit = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
    adapter = PeftConfig.from_pretrained(FOLDER)
    place = {"pretrained_model_name_or_path": adapter.base_model_name_or_path, "revision": adapter.revision}
    model = AutoModelForCausalLM.from_pretrained(
        **place,
        dtype=dtype,
        device_map="auto",
        quantization_config=four_bit if base["quantization"] == "nf4" else None,
    )
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):  # bitsandbytes would round the weights once more
            layer.support_avx512bf16_for_cpu = False
    return AutoTokenizer.from_pretrained(**place), PeftModel.from_pretrained(model, FOLDER).eval()


def main() -> None:
    """Print a line of JSON for each headline of the command."""
    parser = ArgumentParser(description="Print the probability of each label as a line of JSON for each headline.")
    parser.add_argument("headlines", metavar="HEADLINE", nargs="+")
    parser.add_argument("--temperature", type=float, default=1.0)
    given = parser.parse_args()
    classifier = Classifier()
    for headline in given.headlines:
        answer = classifier.classify(headline, temperature=given.temperature)
        sys.stdout.write(json.dumps({"headline": headline, **answer}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
