"""A backbone's config.json as the pinned transformers 4 reads it.

Sentence Transformers 6 and PyLate 1.6 save with transformers 5, which writes some settings under other names.
Version 4 does not complain of names it does not know: it takes its defaults, and the network is another one.
The check against the source cannot see that, since the source is loaded the same way. So names are translated
here, and what has no counterpart is an error.

Source: `configuration_modernbert.py` of transformers 4.57.6 and 5.24.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weft.errors import ModelError

if TYPE_CHECKING:
    from weft.encoder.checkpoint.json_file import JsonFile

__all__ = ["backbone_configuration"]

_SLIDING, _FULL = "sliding_attention", "full_attention"


def backbone_configuration(config: JsonFile) -> dict[str, Any]:
    """Return the settings of a backbone in transformers 4's names.

    Parameters
    ----------
    config : JsonFile
        The backbone's config.json.

    Raises
    ------
    ModelError
        If the backbone needs code of its own, or a setting has no counterpart.
    """
    if not config.content:
        raise ModelError(f"{config.path}: no such file, or empty: it says what the backbone is")
    if config.within("auto_map").content:
        raise ModelError(
            f"{config.path}: auto_map says that this backbone comes with code of its own, and Weft runs no "
            "code of a checkpoint: look for an ONNX export of it"
        )
    if not config.get("model_type", str, ""):
        raise ModelError(f"{config.path}: has no model_type")
    content = dict(config.content)
    if content["model_type"] == "modernbert":
        _modernbert(config, content)
    elif content.get("rope_parameters") is not None:
        raise ModelError(f"{config.path}: rope_parameters is read for ModernBERT only")
    return content


def _modernbert(config: JsonFile, content: dict[str, Any]) -> None:
    # torch's compiler has nothing to win in a trace.
    content["reference_compile"] = False
    parameters = config.within("rope_parameters")
    content.pop("rope_parameters", None)
    for kind, name in ((_FULL, "global_rope_theta"), (_SLIDING, "local_rope_theta")):
        one = parameters.within(kind)
        if one.get("rope_type", str, "default") != "default":
            raise ModelError(
                f"{config.path}: rope_type of {kind} is {one.content['rope_type']!r}, not 'default'"
            )
        theta = one.get("rope_theta", (int, float), None)
        if theta is not None:
            content[name] = float(theta)
    types = config.strings("layer_types", ())
    content.pop("layer_types", None)
    if types:
        content["global_attn_every_n_layers"] = _period(config, types)


def _period(config: JsonFile, types: tuple[str, ...]) -> int:
    """Return every how many layers attention is full, beginning with the first."""
    for period in range(1, len(types) + 1):
        if list(types) == [_SLIDING if layer % period else _FULL for layer in range(len(types))]:
            return period
    raise ModelError(f"{config.path}: layer_types are not one full layer every so many: {', '.join(types)}")
