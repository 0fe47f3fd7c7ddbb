"""Pickles that hold data: numbers, strings, tuples, dicts, and what the reader says may be built.

A pickle is a program for a small stack machine, and two of its instructions, "import this name" and "call
it", make the usual reader run whatever the file says. This machine knows neither: a name is looked up in a
table of the caller's, which is empty unless one is given, and what is called is the function that
stands in that table. Every instruction that data does not need is refused, so nothing of a file is ever
run. Instructions and their operands are those of protocols 2 to 5 (Python's module pickletools lists them).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from weft.imports.refusal import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Buildable", "read_pickle"]


class Buildable:
    """A name that a pickle may mention; calling it is left to the function given here.

    Parameters
    ----------
    build : callable, optional
        Gets the tuple of arguments. Without it the name may be mentioned and not called.
    """

    def __init__(self, build: Callable[[tuple[Any, ...]], Any] | None = None) -> None:
        self.build = build


def read_pickle(
    data: bytes,
    file: Path,
    names: Mapping[str, Buildable] | None = None,
    resolve: Callable[[Any], Any] | None = None,
) -> Any:
    """Read one pickle.

    Parameters
    ----------
    data : bytes
        All of it; nothing may stand behind its end.
    file : Path
        What errors name.
    names : mapping, optional
        What may be mentioned, by ``module.name``. Nothing, without it.
    resolve : callable, optional
        Gives the object of a persistent id, which is how torch names a storage.

    Raises
    ------
    UnreadableSource
        An instruction, or a name, that plain data has no need of; or no pickle at all.
    """
    return _Machine(data, file, names or {}, resolve).run()


class _Machine:
    """Stack, marks and memo of the pickle machine."""

    def __init__(
        self,
        data: bytes,
        file: Path,
        names: Mapping[str, Buildable],
        resolve: Callable[[Any], Any] | None,
    ) -> None:
        self._data = data
        self._file = file
        self._names = names
        self._resolve = resolve
        self._at = 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        while True:
            place = self._at
            code = self._take(1)[0]
            if code == _STOP:
                break
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise refused(
                    self._file,
                    f"the pickle has instruction 0x{code:02x} at byte {place}, which plain data does not "
                    "need: it is not read, since such a file may run code",
                )
            instruction(self)
        value = self._pop()
        if self._stack or self._marks or self._at != len(self._data):
            raise self._broken("something is left over at its end")
        return value

    # Reading

    def _broken(self, problem: str) -> Exception:
        return refused(self._file, f"the pickle is damaged at byte {self._at}: {problem}")

    def _take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) != count:
            raise self._broken("it ends in the middle")
        self._at += count
        return piece

    def _number(self, form: str) -> int:
        value: int = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return value

    def _text(self, count: int) -> str:
        try:
            return self._take(count).decode()
        except UnicodeDecodeError:
            raise self._broken("a string is not UTF-8") from None

    def _line(self) -> str:
        end = self._data.find(b"\n", self._at)
        if end < 0:
            raise self._broken("a name has no end")
        text = self._text(end - self._at)
        self._at += 1
        return text

    # The stack

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise self._broken("a value is missing")
        return self._stack.pop()

    def _top(self) -> Any:
        value = self._pop()
        self._stack.append(value)
        return value

    def _since_mark(self) -> list[Any]:
        if not self._marks:
            raise self._broken("a mark is missing")
        at = self._marks.pop()
        values = self._stack[at:]
        del self._stack[at:]
        return values

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    # Instructions

    def _protocol(self) -> None:
        version = self._number("<B")
        if not 2 <= version <= 5:
            raise refused(self._file, f"the pickle is of protocol {version}: 2 to 5 are read")

    def _frame(self) -> None:
        # A hint for buffered reading; the instructions in it say the same without.
        if self._number("<Q") > len(self._data) - self._at:
            raise self._broken("it ends in the middle")

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _tuple(self, count: int) -> None:
        self._push(tuple(reversed([self._pop() for _ in range(count)])))

    def _set(self, values: list[Any]) -> None:
        target = self._top()
        if type(target) is not dict or len(values) % 2:
            raise self._broken("keys and values belong to no dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) not in (str, int):
                raise refused(
                    self._file, f"a dict has a key of type {type(key).__name__}: str and int are read"
                )
            target[key] = value

    def _set_one(self) -> None:
        value, key = self._pop(), self._pop()
        self._set([key, value])

    def _put(self, key: int) -> None:
        self._memo[key] = self._top()

    def _get(self, key: int) -> None:
        if key not in self._memo:
            raise self._broken(f"nothing was stored under {key}")
        self._push(self._memo[key])

    def _mention(self, module: Any, name: Any) -> None:
        found = self._names.get(f"{module}.{name}") if type(module) is type(name) is str else None
        if found is None:
            raise refused(
                self._file,
                f"the pickle names {str(module)[:80]}.{str(name)[:80]}, which is not read, since such a file "
                "may run code",
            )
        self._push(found)

    def _global(self) -> None:
        module = self._line()
        self._mention(module, self._line())

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._mention(module, name)

    def _reduce(self) -> None:
        arguments, what = self._pop(), self._pop()
        if not isinstance(what, Buildable) or what.build is None or type(arguments) is not tuple:
            raise self._broken("it calls what cannot be called")
        self._push(what.build(arguments))

    def _persistent(self) -> None:
        key = self._pop()
        if self._resolve is None:
            raise refused(self._file, "the pickle refers to something outside of it, which is not read")
        self._push(self._resolve(key))

    def _true(self) -> None:
        self._stack.append(True)

    def _false(self) -> None:
        self._stack.append(False)

    def _long(self) -> None:
        self._push(int.from_bytes(self._take(self._number("<B")), "little", signed=True))


_STOP = ord(".")

_INSTRUCTIONS: dict[int, Callable[[_Machine], None]] = {
    0x80: _Machine._protocol,
    0x95: _Machine._frame,
    ord("("): _Machine._mark,
    ord("N"): lambda m: m._push(None),
    0x88: _Machine._true,
    0x89: _Machine._false,
    ord("J"): lambda m: m._push(m._number("<i")),
    ord("K"): lambda m: m._push(m._number("<B")),
    ord("M"): lambda m: m._push(m._number("<H")),
    0x8A: _Machine._long,
    ord("X"): lambda m: m._push(m._text(m._number("<I"))),
    0x8C: lambda m: m._push(m._text(m._number("<B"))),
    0x8D: lambda m: m._push(m._text(m._number("<Q"))),
    ord(")"): lambda m: m._push(()),
    0x85: lambda m: m._tuple(1),
    0x86: lambda m: m._tuple(2),
    0x87: lambda m: m._tuple(3),
    ord("t"): lambda m: m._push(tuple(m._since_mark())),
    ord("}"): lambda m: m._push({}),
    ord("s"): _Machine._set_one,
    ord("u"): lambda m: m._set(m._since_mark()),
    ord("q"): lambda m: m._put(m._number("<B")),
    ord("r"): lambda m: m._put(m._number("<I")),
    0x94: lambda m: m._put(len(m._memo)),
    ord("h"): lambda m: m._get(m._number("<B")),
    ord("j"): lambda m: m._get(m._number("<I")),
    ord("c"): _Machine._global,
    0x93: _Machine._stack_global,
    ord("R"): _Machine._reduce,
    ord("Q"): _Machine._persistent,
}
