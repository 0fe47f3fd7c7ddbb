"""Which library wrote a checkpoint, and where it put its parts.

Told by the files, in this order: `config_sentence_transformers.json` (Sentence Transformers 6, PyLate),
`artifact.metadata` or the architecture `HF_ColBERT` (colbert-ai), `onnx_config.json` (next-plaid). The last
comes last because its exporter writes that queries are not expanded, whatever the model was trained with.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from weft.encoder.checkpoint import multivector, next_plaid, pylate, stanford
from weft.encoder.checkpoint.json_file import JsonFile
from weft.encoder.checkpoint.modules import Modules
from weft.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weft.encoder.settings import EncoderSettings

__all__ = ["Layout", "LayoutName", "read_layout"]

LayoutName = Literal["sentence-transformers", "pylate", "stanford", "next-plaid"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A checkpoint whose layout is known.

    Attributes
    ----------
    name : {"sentence-transformers", "pylate", "stanford", "next-plaid"}
        Whose layout it is.
    directory : Path
        The checkpoint.
    settings : EncoderSettings
        What its files say about encoding.
    source : Path
        The file that says most of it.
    modules : Modules
        Where backbone and Dense layers are.
    """

    name: LayoutName
    directory: Path
    settings: EncoderSettings
    source: Path
    modules: Modules

    def inline_projection(self) -> bool:
        """Whether the projection is with the backbone's weights, as colbert-ai keeps it."""
        return not self.modules.dense() and (self.name == "stanford" or stanford.named(self.modules.config))

    def describe(self) -> dict[str, Any]:
        """Return what ``weft model info`` shows of it."""
        return {
            "directory": str(self.directory),
            "layout": self.name,
            "settings_from": self.source.name,
            "backbone": self.modules.config.get("model_type", str, "unknown"),
            "settings": asdict(self.settings),
        }


def read_layout(directory: Path) -> Layout:
    """Tell the layout of the checkpoint in `directory` and read its settings.

    Raises
    ------
    ModelError
        If no file says that this is a late-interaction model, or one cannot be used.
    """
    sentence = JsonFile.read(directory / "config_sentence_transformers.json")
    metadata = JsonFile.read(directory / "artifact.metadata")
    exported = JsonFile.read(directory / "onnx_config.json")
    modules = Modules.read(directory)
    name: LayoutName
    reader: Callable[[JsonFile, Modules], EncoderSettings]
    if sentence.get("model_type", str, "") == "MultiVectorEncoder":
        name, source, reader = "sentence-transformers", sentence, multivector.settings
    elif sentence.get("model_type", str, "") == "ColBERT" or "query_prefix" in sentence:
        name, source, reader = "pylate", sentence, pylate.settings
    elif metadata.path.is_file() or stanford.named(modules.config):
        name, source, reader = "stanford", metadata, stanford.settings
    elif exported.path.is_file():
        name, source, reader = "next-plaid", exported, next_plaid.settings
    else:
        raise ModelError(
            f"{directory}: not a late-interaction model that Weft reads: there is no {sentence.path.name} "
            f"with model_type ColBERT or MultiVectorEncoder, no {metadata.path.name}, no architecture "
            f"HF_ColBERT in config.json and no {exported.path.name}"
        )
    try:
        settings = reader(source, modules)
    except ModelError as error:
        message = str(error)
        # What the settings' own check says does not know the file.
        named = message if message.startswith(str(directory)) else f"{source.path}: {message}"
        raise ModelError(named) from None
    return Layout(name, directory, settings, source.path, modules)
