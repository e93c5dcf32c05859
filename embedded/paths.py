"""Paths of the shipped files."""

from pathlib import Path

EMBEDDED = "embedded"
"""The name of the shipped headlines as a source, and of the shipped model as a base model."""

MODEL_FOLDER = Path(__file__).parent / "model"
"""The embedded base model in Hugging Face's own format: configuration, tokenizer, float16 safetensors."""

RECIPE_FILE = Path(__file__).parent / "recipe.json"
"""The inputs that the embedded base model was built from, and the hash of each of its files."""
