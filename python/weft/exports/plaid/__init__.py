"""An index as colbert-ai keeps one: tensors in ``.pt`` files, JSON beside them."""

from __future__ import annotations

from weft.exports.plaid.exporting import PlaidExport, export_plaid

__all__ = ["PlaidExport", "export_plaid"]
