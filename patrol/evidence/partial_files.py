"""The bytes of uploads under way: one file each in a folder that all web processes of a node share.

A writer holds a lock on the file itself. The kernel takes it back when the request's thread closes the file or its
process dies, so a broken connection leaves no lock behind.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from patrol.evidence.tus import Locked
from patrol.foundation.errors import Unavailable
from patrol.foundation.texts import Text

_LOCKED = Text("另一个请求正在写入此上传，请稍后重试", "Another request is writing to this upload: try again in a moment")
_NO_ROOM = Text("暂时无法保存上传内容，请稍后重试", "Uploads cannot be stored at the moment: try again later")
RETRY_AFTER_S = 30
# How often, and with which pause, a reader looks whether the writer is through: three seconds in all.
LOOKS, PAUSE_S = 150, 0.02


class PartialFiles:
    """The files by upload id; names come from the ids alone. Faults of the disk are Unavailable (503)."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder; it is made when the first upload comes."""
        self._folder = folder

    def _path(self, upload_id: UUID) -> Path:
        return self._folder / upload_id.hex

    def size(self, upload_id: UUID) -> int:
        """Return how many bytes of an upload lie here, 0 when nothing came yet."""
        try:
            return self._path(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def locked(self, upload_id: UUID) -> Iterator[BinaryIO]:
        """Open an upload's file for the only writer, made when it is not there. Raises Locked (423) when there is one already."""
        path = self._path(upload_id)
        with _disk_trouble():
            self._folder.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what could not be written shows at the write and not when the file is closed.
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Locked(_LOCKED, retry_after_s=1) from error
            yield file

    def wait_for_writer(self, upload_id: UUID) -> None:
        """Return when nobody writes, or after three seconds.

        A broken connection's last bytes are still being written when its client comes back on a new one. If it was told the
        offset before them, it would send them again.
        """
        for _ in range(LOOKS):
            if not self._has_writer(upload_id):
                return
            time.sleep(PAUSE_S)

    def _has_writer(self, upload_id: UUID) -> bool:
        with suppress(OSError), self._path(upload_id).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def remove(self, upload_id: UUID) -> None:
        """Delete an upload's file if there is one."""
        with suppress(OSError):
            self._path(upload_id).unlink()

    def make_durable(self, file: BinaryIO) -> None:
        """Bring a file and its name to the disk; when this returns both survive a loss of power."""
        with _disk_trouble():
            os.fsync(file.fileno())
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def untouched_since(self, before: datetime) -> list[UUID]:
        """Return the ids of all files last written before that moment."""
        found = []
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError, ValueError):
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    found.append(UUID(path.name))
        return found


def write_all(file: BinaryIO, data: bytes) -> None:
    """Write a piece whole, however little the disk takes at once."""
    with _disk_trouble():
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest):]


def cut_to(file: BinaryIO, size: int) -> None:
    """Cut the file to its first `size` bytes and stand at their end: what lies behind was never acknowledged."""
    with _disk_trouble():
        file.truncate(size)
        file.seek(size)


@contextmanager
def _disk_trouble() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(_NO_ROOM, retry_after_s=RETRY_AFTER_S) from error
