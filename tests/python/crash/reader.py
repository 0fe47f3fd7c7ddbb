"""A process that reads an index while others write it, and complains when what it sees is not one state.

Prints the number of reads when its standard input ends.
"""

from __future__ import annotations

import sys
import threading

import writer
from weft import _core


def watch(path, stop):
    """Read until `stop` is set: gives the number of reads and all problems. States never go back."""
    seen, reads, problems = 0, 0, []
    index = _core.Index.open(path, read_only=True, threads=1)
    while not stop.is_set() and not problems:
        if reads % 10 == 9:
            index = _core.Index.open(path, read_only=True, threads=1)
        seen, problems = writer.torn(index, seen, sys.maxsize)
        reads += 1
    return reads, problems


if __name__ == "__main__":
    stop = threading.Event()
    ends = threading.Thread(target=lambda: (sys.stdin.read(), stop.set()))
    ends.start()
    reads, problems = watch(sys.argv[1], stop)
    print(reads, *problems, sep="\n", flush=True)
    ends.join()
