"""Weft: a late-interaction search engine. Text goes in, ranked passages come out.

>>> import weft
>>> callable(weft.open) and callable(weft.rerank)
True

The names below are found when they are first used, so that ``import weft`` costs next to nothing:
no numpy, no model runtime, no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weft._core import __version__ as __version__
    from weft.encoder import Encoder as Encoder
    from weft.errors import CorruptIndex as CorruptIndex
    from weft.errors import DocumentNotFound as DocumentNotFound
    from weft.errors import EncoderMismatch as EncoderMismatch
    from weft.errors import IncompatibleIndex as IncompatibleIndex
    from weft.errors import IndexExists as IndexExists
    from weft.errors import IndexLocked as IndexLocked
    from weft.errors import IndexNotFound as IndexNotFound
    from weft.errors import InvalidFilter as InvalidFilter
    from weft.errors import InvalidInput as InvalidInput
    from weft.errors import MissingExtra as MissingExtra
    from weft.errors import ModelError as ModelError
    from weft.errors import ModelNotFound as ModelNotFound
    from weft.errors import ReadOnlyIndex as ReadOnlyIndex
    from weft.errors import UnreadableSource as UnreadableSource
    from weft.errors import WeftError as WeftError
    from weft.evaluation import Agreement as Agreement
    from weft.evaluation import Evaluation as Evaluation
    from weft.evaluation import evaluate as evaluate
    from weft.explanation import Explanation as Explanation
    from weft.explanation import Highlight as Highlight
    from weft.explanation import TokenMatch as TokenMatch
    from weft.exports.plaid import PlaidExport as PlaidExport
    from weft.exports.plaid import export_plaid as export_plaid
    from weft.imports import Import as Import
    from weft.imports import LeftOut as LeftOut
    from weft.imports import import_index as import_index
    from weft.index import Index as Index
    from weft.index import open_index as open  # noqa: A004  the public name
    from weft.model_export import ExportReport as ExportReport
    from weft.model_export import export_model as export_model
    from weft.profile import Profile as Profile
    from weft.profile import Profiled as Profiled
    from weft.profile import StageProfile as StageProfile
    from weft.repairing import Repair as Repair
    from weft.repairing import repair as repair
    from weft.reranking import rerank as rerank
    from weft.results import Document as Document
    from weft.results import Hit as Hit
    from weft.results import Part as Part
    from weft.results import RerankHit as RerankHit
    from weft.tuning import Measured as Measured
    from weft.tuning import Tuning as Tuning

_HOMES = {
    "Agreement": "weft.evaluation",
    "CorruptIndex": "weft.errors",
    "Document": "weft.results",
    "DocumentNotFound": "weft.errors",
    "Encoder": "weft.encoder",
    "EncoderMismatch": "weft.errors",
    "Evaluation": "weft.evaluation",
    "Explanation": "weft.explanation",
    "ExportReport": "weft.model_export",
    "Highlight": "weft.explanation",
    "Hit": "weft.results",
    "IncompatibleIndex": "weft.errors",
    "Import": "weft.imports",
    "Index": "weft.index",
    "IndexExists": "weft.errors",
    "IndexLocked": "weft.errors",
    "IndexNotFound": "weft.errors",
    "InvalidFilter": "weft.errors",
    "InvalidInput": "weft.errors",
    "Measured": "weft.tuning",
    "MissingExtra": "weft.errors",
    "LeftOut": "weft.imports",
    "ModelError": "weft.errors",
    "ModelNotFound": "weft.errors",
    "Part": "weft.results",
    "PlaidExport": "weft.exports.plaid",
    "ReadOnlyIndex": "weft.errors",
    "Profile": "weft.profile",
    "Profiled": "weft.profile",
    "Repair": "weft.repairing",
    "RerankHit": "weft.results",
    "StageProfile": "weft.profile",
    "TokenMatch": "weft.explanation",
    "Tuning": "weft.tuning",
    "UnreadableSource": "weft.errors",
    "WeftError": "weft.errors",
    "__version__": "weft._core",
    "evaluate": "weft.evaluation",
    "export_model": "weft.model_export",
    "export_plaid": "weft.exports.plaid",
    "import_index": "weft.imports",
    "open": "weft.index:open_index",
    "repair": "weft.repairing",
    "rerank": "weft.reranking",
}

__all__ = [
    "Agreement",
    "CorruptIndex",
    "Document",
    "DocumentNotFound",
    "Encoder",
    "EncoderMismatch",
    "Evaluation",
    "Explanation",
    "ExportReport",
    "Highlight",
    "Hit",
    "Import",
    "IncompatibleIndex",
    "Index",
    "IndexExists",
    "IndexLocked",
    "IndexNotFound",
    "InvalidFilter",
    "InvalidInput",
    "LeftOut",
    "Measured",
    "MissingExtra",
    "ModelError",
    "ModelNotFound",
    "Part",
    "PlaidExport",
    "Profile",
    "Profiled",
    "ReadOnlyIndex",
    "Repair",
    "RerankHit",
    "StageProfile",
    "TokenMatch",
    "Tuning",
    "UnreadableSource",
    "WeftError",
    "__version__",
    "evaluate",
    "export_model",
    "export_plaid",
    "import_index",
    "open",
    "repair",
    "rerank",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'weft' has no attribute {name!r}")
    module, _, inner = home.partition(":")
    value = getattr(import_module(module), inner or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
