"""`modules.json`: where the backbone and the layers behind it are, and the small files beside the backbone.

A module is told by the last component of its type (`pylate.models.Dense.Dense` and
`sentence_transformers.models.Dense` are both `Dense`); the type is never imported. Modules that change no
token vector (Pooling) are skipped, unknown ones are an error: leaving one out would make another model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.encoder.checkpoint.json_file import JsonFile, read_json
from weft.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Modules"]

_DEFAULT_POSITIONS = 512
"""Tokens a backbone reads when its config.json does not say: BERT's number."""

_MOST_POSITIONS = 1 << 20
"""More than any model has: tables of this length are still made in a moment."""

_NO_LIMIT = 1e30
"""What transformers writes for a tokenizer without a limit of its own."""

_OFFSET_TYPES = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert"}
"""Backbones whose positions begin after the padding index, so that two of them cannot be used."""

_SKIPPED = {"Pooling"}
_KNOWN = {"Transformer", "Dense", "MultiVectorMask", "Normalize", *_SKIPPED}


@dataclass(frozen=True, slots=True)
class Modules:
    """The parts of a checkpoint.

    Attributes
    ----------
    transformer : Path
        The folder with config.json, weights and tokenizer.
    folders : tuple of (str, Path)
        Name and folder of the modules behind it, in order; empty without `modules.json`.
    config : JsonFile
        The backbone's config.json.
    """

    transformer: Path
    folders: tuple[tuple[str, Path], ...]
    config: JsonFile

    @classmethod
    def read(cls, directory: Path) -> Modules:
        """Read `modules.json`; without it the backbone lies in the directory itself.

        Raises
        ------
        ModelError
            If a module is unknown, or lies outside the directory.
        """
        path = directory / "modules.json"
        if not path.is_file():
            return cls(directory, (), JsonFile.read(directory / "config.json"))
        entries = read_json(path)
        if not isinstance(entries, list) or not entries:
            raise ModelError(f"{path}: holds no list of modules")
        found = [_entry(path, JsonFile(path, entry)) for entry in entries if isinstance(entry, dict)]
        if len(found) != len(entries) or found[0][0] != "Transformer":
            raise ModelError(f"{path}: the first module is no Transformer")
        transformer = found[0][1]
        behind = tuple(module for module in found[1:] if module[0] not in _SKIPPED)
        return cls(transformer, behind, JsonFile.read(transformer / "config.json"))

    def dense(self) -> tuple[Path, ...]:
        """Return the folders of the Dense layers, in the order they are applied."""
        return tuple(folder for name, folder in self.folders if name == "Dense")

    def configuration(self, name: str) -> JsonFile:
        """Return the config.json of the module of this name, empty when there is none."""
        folder = next((folder for one, folder in self.folders if one == name), None)
        if folder is None:
            return JsonFile(self.transformer / name, {})
        return JsonFile.read(folder / "config.json")

    def transformer_settings(self) -> JsonFile:
        """Return Sentence Transformers' own configuration of the backbone."""
        return JsonFile.read(self.transformer / "sentence_bert_config.json")

    def positions(self) -> int:
        """Return how many tokens the backbone can read at once."""
        positions: int = self.config.get("max_position_embeddings", int, _DEFAULT_POSITIONS)
        if positions > _MOST_POSITIONS:
            raise ModelError(f"{self.config.path}: max_position_embeddings is {positions}")
        learned = self.config.get("position_embedding_type", str, "absolute") == "absolute"
        return (
            positions - 2
            if learned and self.config.get("model_type", str, "") in _OFFSET_TYPES
            else positions
        )

    def hidden(self) -> int | None:
        """Return the width of the backbone's vectors, None when its config.json does not say."""
        width: int | None = self.config.get("hidden_size", int, self.config.get("dim", int, None))
        return width

    def tokenizer_limit(self) -> int:
        """Return the tokenizer's own limit; libraries write 10^30 for none, some of them as a float."""
        saved = JsonFile.read(self.transformer / "tokenizer_config.json")
        return int(min(saved.positive("model_max_length", _NO_LIMIT), _NO_LIMIT))


def _entry(path: Path, entry: JsonFile) -> tuple[str, Path]:
    name = entry.get("type", str, "").rpartition(".")[2]
    if name not in _KNOWN:
        raise ModelError(f"{path}: the module {name!r} is not one that Weft reads: {sorted(_KNOWN)}")
    root = path.parent
    folder = root / entry.get("path", str, "")
    if "\0" in folder.name:
        raise ModelError(f"{path}: the module {name!r} has a zero byte in its path")
    if not folder.resolve().is_relative_to(root.resolve()):
        raise ModelError(f"{path}: the module {name!r} lies outside the model's directory")
    return name, folder
