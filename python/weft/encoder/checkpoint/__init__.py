"""What a checkpoint's files say and hold, whichever tool wrote them.

Begin with `layout.py`, which tells the layouts apart; `stanford.py`, `pylate.py`, `multivector.py` and
`next_plaid.py` read the settings of one each. `safetensors.py` and `weights.py` read weights, `dense.py` the
layers behind the backbone, `vocabulary.py` the tokenizer. Nothing here runs code from a checkpoint.
"""

from weft.encoder.checkpoint.layout import Layout, read_layout

__all__ = ["Layout", "read_layout"]
