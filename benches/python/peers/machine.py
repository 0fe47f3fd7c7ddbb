"""Which machine it was, how busy, and when."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
from pathlib import Path


def about() -> dict[str, object]:
    """Machine, system and time of a run."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": _commit(),
    }


def load() -> float:
    """Processes that ran or waited to run in the last minute, on average; this bench's own among them."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
    stripped = {key.strip(): value.strip() for key, value in fields.items()}
    avx512 = "AVX-512 with VNNI" if "avx512_vnni" in stripped.get("flags", "") else "no AVX-512 VNNI"
    return f"{stripped.get('model name', platform.machine())}, {avx512}"


def _commit() -> str:
    root = Path(__file__).parents[3]
    found = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return found.stdout.strip()
