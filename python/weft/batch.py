"""One transaction over several calls: what `weft.Index.batch` opens, and what every single write is in.

The engine's writer can take all back, but not a part. A call that fails after it staged a part would
leave that part in the batch; so the batch remembers it and commits nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from weft.errors import WeftError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from weft import _core
    from weft.ingest import Progress

__all__ = ["Given", "Transaction", "engine_stages"]

Given = TypeVar("Given")


class Transaction:
    """The engine's writer, and whether what was staged with it is whole.

    Parameters
    ----------
    writer : _core.Writer
        A fresh one. It is gone after `commit` and `abort`.
    """

    def __init__(self, writer: _core.Writer) -> None:
        self._writer = writer
        self._staged = False
        self._broken = False

    def run(self, work: Callable[[Transaction], Given]) -> Given:
        """Do the work of one call: all of it is staged, or the transaction can only be rolled back."""
        self._refuse_broken()
        before, self._staged = self._staged, False
        try:
            given = work(self)
        except BaseException:
            self._broken = self._staged
            raise
        finally:
            self._staged |= before
        return given

    def _refuse_broken(self) -> None:
        if self._broken:
            raise WeftError(
                "an earlier call of this batch failed when a part of it was staged: "
                "leave the batch, which rolls everything back, and begin it again"
            )

    # What can be staged. The mark comes first: a call that fails may have done half its work.

    def add(self, *columns: Any) -> list[str]:
        """Stage documents."""
        self._staged = True
        return self._writer.add(*columns)

    def delete(self, ids: Sequence[str]) -> int:
        """Stage deletions."""
        self._staged = True
        return self._writer.delete(ids)

    def delete_where(self, filter: str) -> int:  # noqa: A002  what it is everywhere
        """Stage the deletion of what matches."""
        self._staged = True
        return self._writer.delete_where(filter)

    def update(self, ids: Sequence[str], metadata: Sequence[str | None]) -> int:
        """Stage other metadata."""
        self._staged = True
        return self._writer.update(ids, metadata)

    def set_encoder(self, description: str) -> None:
        """Remember the encoder; the same one again is no change."""
        self._writer.set_encoder(description)

    def remember_encoder(self, description: str) -> None:
        """Remember the encoder by a commit of its own, when nothing else is staged."""
        self._staged = True
        self._writer.set_encoder(description)

    # What is there, staged changes included.

    def metadata(self, ids: Sequence[str]) -> list[str | None]:
        """Give the metadata of documents, None where there is no document."""
        return self._writer.metadata(ids)

    def select(self, filter: str) -> list[str]:  # noqa: A002
        """Give the ids of what matches."""
        return self._writer.select(filter)

    # Ending

    def commit(self, progress: Progress | None) -> None:
        """Make it durable and visible; a transaction without changes leaves no commit."""
        self._refuse_broken()
        if self._staged:
            self._writer.commit(None if progress is None else engine_stages(progress))
        else:
            self._writer.abort()

    def abort(self) -> None:
        """Leave the index as it was."""
        self._writer.abort()


def engine_stages(progress: Progress) -> Callable[[str, int, int], None]:
    """Rename a stage: the engine calls quantising "encode", which here is the model's work."""

    def report(stage: str, done: int, total: int) -> None:
        progress("compress" if stage == "encode" else stage, done, total)

    return report
