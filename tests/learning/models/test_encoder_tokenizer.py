"""The tokenizer of an encoder."""

from pathlib import Path

from transformers import AutoTokenizer

from learning.models.encoder import load_encoder_tokenizer
from tests.learning.models.encoders import make_encoder


def test_a_special_token_in_a_headline_is_plain_text_also_after_an_export(tmp_path: Path) -> None:
    base = make_encoder(tmp_path / "base")
    special = load_encoder_tokenizer(base)
    token = special.all_special_tokens[-1]
    special.save_pretrained(tmp_path / "exported")
    for tokenizer in (special, AutoTokenizer.from_pretrained(tmp_path / "exported")):
        ids = tokenizer(f"Profit {token} rose", add_special_tokens=False)["input_ids"]
        assert not set(ids) & set(tokenizer.all_special_ids)
        assert tokenizer.decode(ids) == f"Profit {token} rose"
