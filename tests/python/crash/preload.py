"""Building the shim and running programs under it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONG = bool(os.environ.get("WEFT_LONG"))


def build(directory):
    """Compile the shim, or skip where that cannot be."""
    compiler = shutil.which("cc")
    if not sys.platform.startswith("linux"):
        pytest.skip("LD_PRELOAD and raw kernel calls are those of Linux")
    if compiler is None:
        pytest.skip("there is no C compiler to build the shim with")
    shim = directory / "shim.so"
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", shim, HERE / "shim.c", "-lpthread"], check=True
    )
    return shim


def program(shim, *arguments, given="", name="program.py"):
    """Run a program of this directory under the shim and return what it printed."""
    environment = {**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, HERE / name, *arguments]
    done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr
