"""From text to token vectors: ONNX Runtime and a tokenizer, no deep-learning framework.

Begin with `encoder.py`, the class people use. `settings.py` reads a checkpoint's own files,
`tokenise.py` turns text into rows of ids, `session.py` runs the network, `split.py` cuts texts that are
longer than the model reads. onnxruntime and tokenizers are imported when a model is opened.
"""

from weft.encoder.encoder import Encoder, passage_text
from weft.encoder.settings import EncoderSettings
from weft.encoder.tokenise import Token

__all__ = ["Encoder", "EncoderSettings", "Token", "passage_text"]
