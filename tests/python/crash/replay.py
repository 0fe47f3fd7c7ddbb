"""From a recording of all changes to the directory as a dead process or a power cut would leave it.

A process that dies leaves every change it made: the directory is the log up to there. A power cut leaves what was
synchronised, and of the rest anything: each file's changes since its last synchronisation, and each name that came or went
since that of the directory, may or may not have reached the disk, writes in pieces of a sector.
"""

from __future__ import annotations

import struct
from collections import namedtuple
from pathlib import Path

CREATE, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, MARK = range(1, 8)
SECTOR = 512

Change = namedtuple("Change", "what path at data")


def read(log, directory):
    """The changes of a log; paths become names in the directory, its own the empty one."""
    data, at = memoryview(log.read_bytes()), 0
    while at < len(data):
        what, length, offset, size = struct.unpack_from("<4q", data, at)
        at += 32
        path = bytes(data[at : at + length]).decode()
        at += length
        content = bytes(data[at : at + size])
        at += size
        if what != MARK:
            path = "" if path == str(directory) else str(Path(path).relative_to(directory))
        # The shared memory of SQLite is made anew by whoever comes first.
        if not path.endswith("-shm"):
            yield Change(what, path, offset, content)


def apply(content, change):
    """Make a change to the bytes of a file."""
    if change.what == WRITE:
        end = change.at + len(change.data)
        content.extend(bytes(max(0, change.at - len(content))))
        content[change.at : end] = change.data
    elif change.what == TRUNCATE:
        del content[change.at :]
        content.extend(bytes(change.at - len(content)))


class Node:
    """A file: its bytes when it was last synchronised, and the changes since."""

    def __init__(self):
        self.durable = bytearray()
        self.pending = []

    def bytes(self, keep):
        content = bytearray(self.durable)
        for change in self.pending:
            if change.what == WRITE:
                for start in range(0, len(change.data), SECTOR):
                    if keep():
                        piece = change.data[start : start + SECTOR]
                        apply(content, change._replace(at=change.at + start, data=piece))
            elif keep():
                apply(content, change)
        return bytes(content)


class Disk:
    """The directory while the log is played."""

    def __init__(self):
        self.names = {}
        self.durable_names = {}

    def play(self, change):
        if change.what == CREATE:
            self.names[change.path] = Node()
        elif change.what == UNLINK:
            del self.names[change.path]
        elif change.what == RENAME:
            self.names[change.data.decode()] = self.names.pop(change.path)
        elif change.what == SYNC and not change.path:
            self.durable_names = dict(self.names)
        elif change.what == SYNC:
            node = self.names[change.path]
            node.durable = bytearray(node.bytes(lambda: True))
            node.pending.clear()
        elif change.what != MARK:
            self.names[change.path].pending.append(change)

    def write(self, directory, keep=lambda: True):
        """Write the directory; `keep` is asked for every change that was not synchronised."""
        directory.mkdir()
        for name in {**self.durable_names, **self.names}:
            old, new = self.durable_names.get(name), self.names.get(name)
            node = new if old is new or keep() else old
            if node is not None:
                (directory / name).write_bytes(node.bytes(keep))
