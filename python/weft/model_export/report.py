"""What an export found out about itself: the object the API returns, and the same as text for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from weft.model_export.retrieval import RetrievalLoss
    from weft.model_export.verify import Difference

__all__ = ["ExportReport", "ExportedFile", "Int8Report"]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of the export: its path in the directory, and its bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Int8Report:
    """What the int8 graph loses.

    Attributes
    ----------
    difference : Difference
        From the source, on the same texts as the float graph.
    retrieval : RetrievalLoss
        Rankings of the int8 graph beside those of the float graph.
    """

    difference: Difference
    retrieval: RetrievalLoss


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What `export_model` wrote, and how far it is from its source.

    Attributes
    ----------
    checkpoint : str
        What was exported.
    directory : Path
        Where to.
    layout : str
        ``stanford``, ``pylate`` or ``sentence-transformers``.
    backbone : str
        The backbone's type, as in ``bert``.
    dim : int
        Components of a vector.
    layers : int
        Dense layers in the graph.
    opset : int
        Version of ONNX's operators.
    files : tuple of ExportedFile
        What lies in the directory.
    difference : Difference
        Of the float graph from the source.
    int8 : Int8Report or None
        What int8 loses; None when it was not asked for.
    versions : dict of str to str
        Of the libraries that made it.
    """

    checkpoint: str
    directory: Path
    layout: str
    backbone: str
    dim: int
    layers: int
    opset: int
    files: tuple[ExportedFile, ...]
    difference: Difference
    int8: Int8Report | None
    versions: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as what JSON can write."""
        content = asdict(self)
        content["directory"] = str(self.directory)
        return content

    def __str__(self) -> str:
        graphs = ", ".join(
            f"{file.name} {file.size / 1e6:.1f} MB" for file in self.files if file.name.startswith("model")
        )
        found = self.difference
        lines = [
            f"{self.directory}: {self.backbone}, {self.layers} Dense, {self.dim} dimensions; {graphs}",
            f"checked on {found.texts} texts, {found.vectors:,} vectors: largest difference "
            f"{found.largest:.1e}, least cosine {found.cosine:.7f}",
        ]
        if self.int8 is not None:
            lines += ["", *self._int8_lines(self.int8)]
        return "\n".join(lines)

    @staticmethod
    def _int8_lines(int8: Int8Report) -> list[str]:
        loss, found = int8.retrieval, int8.difference
        rows = [("", "float", "int8")]
        rows += [(name, f"{loss.float32[name]:.4f}", f"{loss.int8[name]:.4f}") for name in loss.float32]
        rows += [
            ("overlap@10", "", f"{loss.overlap_at_10:.4f}"),
            ("same first", "", f"{loss.same_first:.4f}"),
            ("mean cosine", "", f"{found.mean_cosine:.4f}"),
            ("least cosine", "", f"{found.cosine:.4f}"),
            ("passages/s", f"{loss.speed[0]:.1f}", f"{loss.speed[1]:.1f}"),
        ]
        table = [f"{name:<14}{left:>9}{right:>9}" for name, left, right in rows]
        title = (
            f"int8 on {loss.collection}: {loss.documents:,} documents, {loss.queries:,} queries, "
            "exhaustive MaxSim"
        )
        return [title, *(line.rstrip() for line in table)]
