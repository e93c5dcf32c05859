"""What tests of several rooms share."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings

from embedded.grammar import generate_headline
from embedded.paths import MODEL_FOLDER
from schemas.label import Label

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")  # how long an example takes says more of the machine than of the code


@pytest.fixture(scope="session")
def fpb_folder() -> Path:
    """The folder with the real FinancialPhraseBank, whose licence keeps it out of the project."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "fpb"
    folder = Path(os.environ.get("FINTONE_TEST_FPB", beside))
    if not (folder / "FinancialPhraseBank-v1.0.zip").is_file():
        pytest.skip("needs FinancialPhraseBank: set FINTONE_TEST_FPB to the folder with FinancialPhraseBank-v1.0.zip")
    return folder


@pytest.fixture(scope="session")
def llama_folder() -> Path:
    """A small Llama with the Llama 2 tokenizer, whose licence keeps it out of the project."""
    beside = Path(__file__).parents[2] / "shared" / "models" / "llama-15m"
    folder = Path(os.environ.get("FINTONE_TEST_LLAMA", beside))
    if not (folder / "config.json").is_file():
        pytest.skip("needs a model with the Llama 2 tokenizer: set FINTONE_TEST_LLAMA to its folder")
    return folder


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of 2 layers in Hugging Face's format; for mechanics, never for a claim of quality."""
    from learning.base_model import load_tokenizer
    from learning.pretrain import Recipe, build_model

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = load_tokenizer(MODEL_FOLDER)
    recipe = Recipe(hidden_size=64, intermediate_size=128, layers=2, heads=2)
    build_model(recipe, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of 2 layers in sentence-transformers' format; for mechanics, never for a claim of quality."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, set_seed

    from learning.base_model import load_tokenizer

    bert, folder = tmp_path_factory.mktemp("bert"), tmp_path_factory.mktemp("encoders") / "tiny"
    tokenizer = load_tokenizer(MODEL_FOLDER)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.save_pretrained(bert)
    config = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    set_seed(1)
    BertModel(config).save_pretrained(bert)
    modules = [Transformer(str(bert)), Pooling(32, "mean")]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="session")
def labelled() -> tuple[list[str], list[Label]]:
    """Forty headlines of different lengths with their labels."""
    random = Random(3)
    headlines = [generate_headline(random) for _ in range(40)]
    return [headline.text for headline in headlines], [Label(headline.sentiment) for headline in headlines]


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[str, list[tuple[str, str]]], Any]:
    """Builds a tokenizer by hand: a token for each character and for each merge, in the order of the merges."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    def make(characters: str, merges: list[tuple[str, str]]) -> Any:
        tokens = [*characters, *(left + right for left, right in merges)]
        tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
        tokenizer.decoder = decoders.Fuse()
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer)

    return make
