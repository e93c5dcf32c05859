"""Classifies headlines with the causal language model in this folder: the probability of each label.

fintone puts a copy of this file into an export, and its answers are those that fintone records, since it counts the
same tokens as a label and samples in the same way. It needs the packages that README.md names. A call from a shell
prints a line of JSON for each headline:

    python classify.py "Profit rose in the third quarter" "Sales fell"

Headlines are read one at a time, with a pass for each token of an answer; `fintone score` is faster for many.
"""

import hashlib
import inspect
import json
import logging
import math
import sys
import warnings
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
import transformers

FOLDER = Path(__file__).parent
GUARDS = str.maketrans("[]\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "()" + 10 * " ")
"""What could end the brackets around a headline early, and what stands there in its place."""
Example = dict[str, str]
"""An entry of examples.json: `headline` and `label`, and `context` and `instrument` where it has them."""


class Classifier:
    """The model in memory, with its prompt."""

    def __init__(self) -> None:
        """Load them from the folder of this file."""
        self.prompt: dict[str, Any] = json.loads((FOLDER / "prompt.json").read_text(encoding="utf-8"))
        self.tokenizer, self.model = _load(self.prompt["base"])
        last_only = "logits_to_keep" in inspect.signature(_find_causal(self.model).forward).parameters
        self.options = {"logits_to_keep": 1} if last_only else {}

    @torch.inference_mode()
    def classify(
        self,
        headline: str,
        context: str = "",
        instrument: str = "",
        examples: Sequence[Example] | None = None,
        temperature: float = 1.0,
    ) -> dict[str, float]:
        """The probability of each label, if tokens are sampled at a temperature, with top-k and top-p of prompt.json.

        Args:
            headline: Its text.
            context: The text that its source has for it, where the prompt shows contexts.
            instrument: What it is about, where the prompt names that.
            examples: As many as the prompt shows; by default those that fintone shows.
            temperature: Divides the logits; above 0.

        Returns:
            A probability for each label; what is missing to 1 is that of any other answer.

        Raises:
            ValueError: The headline is empty, or too long for the model; or it needs another number of examples.
        """
        if not headline.strip():
            raise ValueError("a headline is empty")
        shown = self._choose(headline.strip()) if examples is None else examples
        prompt = self._encode(self._write(headline.strip(), context, instrument, shown))

        @cache
        def log_probabilities(answer: tuple[int, ...]) -> torch.Tensor:
            """[V], of each token after the prompt and these tokens."""
            tokens = torch.tensor([[*prompt, *answer]], device=self.model.device)
            logits = self.model(tokens, **self.options).logits[0, -1]
            return self._cut(logits.double() / temperature).log_softmax(-1)

        def probability(answer: Sequence[int]) -> float:
            steps = (log_probabilities(tuple(answer[:place]))[token] for place, token in enumerate(answer))
            return math.exp(sum(map(float, steps)))

        return {label: sum(map(probability, answers)) for label, answers in self.prompt["answers"].items()}

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = self.tokenizer(text, split_special_tokens=True, verbose=False)["input_ids"]
        tokens = tokens[:-1] if tokens[-1] == self.tokenizer.eos_token_id else tokens
        most = getattr(self.model.config, "max_position_embeddings", None)
        longest = max(len(answer) for answers in self.prompt["answers"].values() for answer in answers)
        if most is not None and len(tokens) + longest > most:
            raise ValueError(f"a headline has {len(tokens) + longest} tokens with its prompt, the model takes {most}")
        return tokens

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

    def _write(self, headline: str, context: str, instrument: str, examples: Sequence[Example]) -> str:
        if len(examples) != self.prompt["examples"]:
            raise ValueError(f"the prompt has {self.prompt['examples']} examples, not {len(examples)}")
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

    def _choose(self, headline: str) -> list[Example]:
        """The examples that are shown before every headline, or those of the pool that are most similar to this one."""
        if not self.prompt["examples"]:
            return []
        if self.prompt["examples_by"] == "fixed":
            shown: list[Example] = self._examples["shown"]
            return shown
        pool, vectorizer, vectors = self._pool
        similar = (vectorizer.transform([headline]) @ vectors.T).toarray()[0].round(9)
        places = sorted(range(len(pool)), key=lambda place: -similar[place])[: self.prompt["examples"]]
        return sorted((pool[place] for place in places), key=lambda each: self._draw(f"{headline}\n{each['headline']}"))

    @cached_property
    def _examples(self) -> dict[str, Any]:
        examples: dict[str, Any] = json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))
        return examples

    @cached_property
    def _pool(self) -> tuple[list[Example], Any, Any]:
        """The pool in a drawn order, which decides between equally similar headlines, and its vectors."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        pool = sorted(self._examples["pool"], key=lambda each: self._draw(each["headline"]))
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        return pool, vectorizer, vectorizer.fit_transform([each["headline"] for each in pool])

    def _draw(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._examples['examples_seed']}:{text}".encode(errors="surrogatepass")).digest()


def _load(base: dict[str, str] | None) -> tuple[Any, Any]:
    """The tokenizer and the model: whole, or an adapter on a base that is loaded as it was for the training."""
    if base is None:
        model = transformers.AutoModelForCausalLM.from_pretrained(FOLDER, dtype="auto", device_map="auto")
        return transformers.AutoTokenizer.from_pretrained(FOLDER), model.eval()
    from peft import PeftConfig, PeftModel

    adapter, dtype = PeftConfig.from_pretrained(FOLDER), getattr(torch, base["dtype"])
    name, revision = adapter.base_model_name_or_path, adapter.revision
    if Path(name).is_absolute() and not Path(name).is_dir():
        raise ValueError(f"the base model is not at {name}: set base_model_name_or_path in adapter_config.json")
    quantization = None
    if base["quantization"] == "nf4":
        quantization = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    model = transformers.AutoModelForCausalLM.from_pretrained(
        name, revision=revision, dtype=dtype, device_map="auto", quantization_config=quantization
    )
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):  # bitsandbytes would round the weights once more
            layer.support_avx512bf16_for_cpu = False
    tokenizer = transformers.AutoTokenizer.from_pretrained(name, revision=revision)
    return tokenizer, PeftModel.from_pretrained(model, FOLDER).eval()


def _find_causal(model: Any) -> Any:
    """The language model below an adapter."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _read_temperature(word: str) -> float:
    value = float(word)
    if not 0 < value < math.inf:
        raise ValueError
    return value


def main() -> None:
    """Print a line of JSON for each headline of the command."""
    parser = ArgumentParser(description="Print the probability of each label as a line of JSON for each headline.")
    parser.add_argument("headlines", metavar="HEADLINE", nargs="+")
    parser.add_argument("--context", default="", help="the text that the source has for the headlines")
    parser.add_argument("--instrument", default="", help="what the headlines are about")
    parser.add_argument("--temperature", type=_read_temperature, default=1.0, help="above 0; 1 if omitted")
    given = parser.parse_args()
    logging.disable()
    warnings.simplefilter("ignore")
    transformers.utils.logging.disable_progress_bar()
    try:
        classifier = Classifier()
        for word in given.headlines:
            headline = word.encode(errors="replace").decode()  # what is not text becomes a question mark
            answer = classifier.classify(headline, given.context, given.instrument, temperature=given.temperature)
            sys.stdout.write(json.dumps({"headline": headline, **answer}, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    except (ImportError, OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130)


if __name__ == "__main__":
    main()
