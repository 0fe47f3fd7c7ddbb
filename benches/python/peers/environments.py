"""The environment of every engine, and how it is made: a virtual environment each, so that no peer sees another's torch or numpy."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "benches" / "peers"
DEFAULT = ROOT / "benches" / "data" / "environments"

# Engine, and the environment that it runs in. Tables keep this order.
ENGINES = {
    "weft": "weft",
    "colbert_ai": "colbert-ai",
    "fast_plaid": "fast-plaid",
    "pylate_plaid": "pylate",
    "next_plaid": "next-plaid",
    "xtr_warp": "xtr-warp",
    "tachiom": "tachiom",
    "faiss_ivf": "faiss",
    "weft_maxsim": "weft",
    "numpy_maxsim": "numpy",
    "torch_maxsim": "torch",
    "numkong_maxsim": "numkong",
}


def program(engine: str, folder: Path) -> Path:
    """Where the program of an engine lies, whether it is there or not."""
    name = ENGINES[engine]
    if name == "next-plaid":
        return folder / name / "release" / "next-plaid-peer"
    return folder / name / "bin" / "python"


def make(name: str, folder: Path) -> None:
    """Make one environment by what `benches/peers` says of it; what is there already is kept and completed."""
    target = folder / name
    if name == "next-plaid":
        manifest = REQUIREMENTS / name / "Cargo.toml"
        _run("cargo", "build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", target)
        return
    if not target.exists():
        _run(sys.executable, "-m", "venv", target)
    python = target / "bin" / "python"
    requirements = REQUIREMENTS / f"{name}.txt"
    _run(python, "-m", "pip", "install", "-q", "-r", requirements)
    if name == "weft":
        _run(python, "-m", "pip", "install", "-q", ROOT)
    unpacked = REQUIREMENTS / f"{name}-unpacked.txt"
    if unpacked.exists():
        _unpack(python, unpacked, target)


def _unpack(python: Path, requirements: Path, target: Path) -> None:
    """Put a wheel where it belongs that pip refuses for the glibc in its name, and that loads all the same."""
    wheels = target / "wheels"
    tags = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 42)]
    options = [part for tag in tags for part in ("--platform", tag)]
    only = ["--no-deps", "--only-binary", ":all:", "--python-version", sysconfig.get_python_version()]
    _run(python, "-m", "pip", "download", "-q", *only, *options, "-d", wheels, "-r", requirements)
    packages = next((target / "lib").glob("python3*/site-packages"))
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)


def _run(*command: object) -> None:
    print("+", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True)
