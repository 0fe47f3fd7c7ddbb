"""The prompts in `config_sentence_transformers.json`, which PyLate and Sentence Transformers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weft.encoder.checkpoint.json_file import JsonFile

__all__ = ["prompt"]


def prompt(sentence: JsonFile, names: tuple[str, ...]) -> str:
    """Return the first of these prompts that is there, else the default one, else nothing."""
    prompts = sentence.within("prompts")
    default = sentence.get("default_prompt_name", str, None)
    name = next((one for one in names if one in prompts), default)
    text: str = "" if name is None else prompts.get(name, str, "")
    return text
