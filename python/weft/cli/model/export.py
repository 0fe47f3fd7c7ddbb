"""``weft model export``: a safetensors checkpoint to ONNX, checked against its source."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command, add_threads
from weft.defaults import EXPORT_OPSET

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "export", run, "turn a safetensors checkpoint into an ONNX export", shared)
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help="a directory in the layout of colbert-ai, PyLate or Sentence Transformers 6, or a hub id",
    )
    parser.add_argument("out", metavar="OUT", help="the directory to make")
    parser.add_argument(
        "--int8",
        action="store_true",
        help="also write an int8 graph and measure what it loses; takes minutes",
    )
    parser.add_argument(
        "--evaluate",
        metavar="DIR",
        help="measure the loss on this BEIR folder; default: the sample that ships with Weft",
    )
    parser.add_argument(
        "--opset",
        metavar="N",
        type=int,
        default=EXPORT_OPSET,
        help=f"version of ONNX's operators (default: {EXPORT_OPSET})",
    )
    parser.add_argument("--force", action="store_true", help="replace an earlier export")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")
    add_threads(parser)
    parser.set_defaults(refuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Export, and print what was found."""
    if arguments.evaluate is not None and not arguments.int8:
        arguments.refuse("--evaluate measures what int8 loses: say --int8 too")
    from weft.cli.progress import ProgressBar
    from weft.model_export import export_model

    print(f"exporting {arguments.checkpoint}", file=sys.stderr)
    with ProgressBar(shown=False if arguments.no_progress else None) as bar:
        report = export_model(
            arguments.checkpoint,
            arguments.out,
            int8=arguments.int8,
            evaluate=arguments.evaluate,
            opset=arguments.opset,
            force=arguments.force,
            threads=arguments.threads,
            progress=bar,
        )
    print(json.dumps(report.as_dict(), ensure_ascii=False) if arguments.json else report)
    return DONE
