"""Where the shipped files lie."""

from pathlib import Path

MODEL_FOLDER = Path(__file__).parent / "model"
"""The embedded base model in Hugging Face's own format: configuration, tokenizer, float16 safetensors."""

RECIPE_FILE = Path(__file__).parent / "recipe.json"
"""What the embedded base model was built from, with the hash of each of its files."""
