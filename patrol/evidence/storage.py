"""Where photos lie: a local folder or an S3-compatible store, chosen by one setting. The only file that touches it.

Originals are named by their SHA-256 and never change; renditions lie apart and can be derived again at any time.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from patrol.foundation.errors import NotFound, Unavailable
from patrol.foundation.texts import Text

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import S3Config

RETRY_AFTER_S = 10
CHUNK_BYTES = 256 * 1024
# A file is stored before its row is committed: what is younger than this may belong to a request still under way.
ORPHAN_AGE = timedelta(hours=24)

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIZE_NAME = re.compile(r"[a-z]{1,20}")
_KEY = re.compile(r"(?:originals|renditions)/[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})(?:/[a-z]{1,20}\.jpg)?")
_INCOMING = "incoming"


class StoredStream(NamedTuple):
    """A stored file on its way out: its size, and its content in pieces of about `CHUNK_BYTES`."""

    size_bytes: int
    chunks: Iterator[bytes]


def open_store(uploads_setting: str) -> "PhotoStore":
    """Return the store that the setting names: a folder, or `s3://bucket/prefix?endpoint=https://…&region=…`.

    Keys for S3 come from the usual `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Plain HTTP is used only with an
    endpoint that says so. Nothing is opened before the first use, so a master process may call this before it forks.

    Raises:
        ValueError: the setting names neither, or has a part that is not known.
    """
    if "://" not in uploads_setting:
        folder = Path(uploads_setting).absolute()
        return PhotoStore(lambda: LocalStore(folder, mkdir=True), folder)
    parts = urlsplit(uploads_setting)
    options = dict(parse_qsl(parts.query))
    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    if parts.scheme != "s3" or not parts.hostname or parts.username or options:
        raise ValueError("the uploads setting must be a folder or s3://bucket/prefix?endpoint=…&region=…")
    bucket, prefix = parts.netloc, parts.path.strip("/") or None
    return PhotoStore(lambda: _s3(bucket, prefix, endpoint, region))


def _s3(bucket: str, prefix: str | None, endpoint: str | None, region: str | None) -> ObjectStore:
    config: S3Config = {}
    if endpoint:
        config["endpoint"] = endpoint
    if region:
        config["region"] = region
    return S3Store(
        bucket, prefix=prefix, virtual_hosted_style_request=False,
        # Some stores answer a bulk delete in a form that this library does not read.
        config=config, disable_bulk_delete=True,
        client_options={
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
            "connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=30),
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )


def original_key(sha256: str) -> str:
    """Return where an original lies. Raises ValueError for anything but 64 lower-case hexadecimal digits."""
    if not _DIGEST.fullmatch(sha256):
        raise ValueError("not a SHA-256 in lower-case hexadecimal digits")
    return f"originals/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def rendition_key(sha256: str, size_name: str) -> str:
    """Return where one size of an original lies. Raises ValueError like `original_key`, and for odd size names."""
    if not _SIZE_NAME.fullmatch(size_name):
        raise ValueError("not a name of a size")
    return original_key(sha256).replace("originals/", "renditions/", 1) + f"/{size_name}.jpg"


class PhotoStore:
    """The stored files. Every method raises `Unavailable` (503) when the store is out of reach or full."""

    def __init__(self, open_backend: Callable[[], ObjectStore], folder: Path | None = None) -> None:
        """Keep how to open the store; `folder` is its place on the local disk, if it has one."""
        self._open_backend, self._folder = open_backend, folder
        self._durable_folders: set[Path] = set()
        self._used_by_process: int | None = None

    def keep(self, sha256: str, source: bytes | Path) -> str:
        """Store an original durably and return its key; keeping the same again changes nothing.

        When this returns, the file survives a loss of power. Raises ValueError when the source has another digest.
        """
        key = original_key(sha256)
        data = source if isinstance(source, bytes) else source.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError("the content does not have the digest it is kept under")
        self._put(key, data)
        return key

    def put_rendition(self, sha256: str, size_name: str, data: bytes) -> str:
        """Store one derived size (JPEG bytes) over whatever was there, and return its key."""
        key = rendition_key(sha256, size_name)
        self._put(key, data, replace=True)
        return key

    def read(self, key: str) -> bytes:
        """Return a stored file's bytes. Raises NotFound."""
        with _store_trouble(reading=True):
            return obstore.get(self._backend, _checked(key)).bytes().to_bytes()

    def open_stream(self, key: str) -> StoredStream:
        """Open a stored file for sending in pieces. Raises NotFound here, before the first piece."""
        with _store_trouble(reading=True):
            result = obstore.get(self._backend, _checked(key))
            size_bytes = result.meta["size"]
        return StoredStream(size_bytes, _chunks(result))

    def exists(self, key: str) -> bool:
        """Is there such a file?"""
        try:
            with _store_trouble(reading=True):
                obstore.head(self._backend, _checked(key))
        except NotFound:
            return False
        return True

    def check(self) -> None:
        """Prove that a photo could be stored now, by storing a few bytes."""
        if self._folder:
            with _store_trouble():
                self._write_incoming(b"ready", durable=False).unlink()
        else:
            with _store_trouble():
                obstore.put(self._backend, "readiness", b"ready", use_multipart=False)

    def sweep_orphans(
        self, known_digests: Callable[[list[str]], Collection[str]], *, now: datetime | None = None,
        minimum_age: timedelta = ORPHAN_AGE,
    ) -> list[str]:
        """Delete files that no row knows, left by requests that ended before their commit; return their keys.

        `known_digests` is asked, up to 1,000 digests at a time, which of them have a row.
        """
        before = (now or datetime.now(UTC)) - minimum_age
        swept = []
        for old in self._pages_older_than(before):
            known = set(known_digests(sorted(set(old.values()))))
            swept += [key for key, digest in old.items() if digest not in known and self._delete_if_old(key, before)]
        with _store_trouble():
            self._sweep_incoming(before)
        return swept

    def _pages_older_than(self, before: datetime) -> Iterator[dict[str, str]]:
        """Digests by key of what was last kept before that time, in pages of up to 1,000."""
        for prefix in ("originals/", "renditions/"):
            pages = iter(obstore.list(self._backend, prefix=prefix, chunk_size=1_000))
            while True:
                with _store_trouble():
                    page = next(pages, None)
                if page is None:
                    break
                old = {item["path"]: match[1] for item in page if item["last_modified"] < before
                       and (match := _KEY.fullmatch(item["path"]))}
                if old:
                    yield old

    def _delete_if_old(self, key: str, before: datetime) -> bool:
        """Delete a file unless somebody kept it again since it was listed."""
        try:
            with _store_trouble(reading=True):
                if obstore.head(self._backend, key)["last_modified"] >= before:
                    return False
                obstore.delete(self._backend, key)
        except NotFound:
            return False
        return True

    @cached_property
    def _opened(self) -> ObjectStore:
        self._used_by_process = os.getpid()
        return self._open_backend()

    @property
    def _backend(self) -> ObjectStore:
        with _store_trouble():
            backend = self._opened
        if self._used_by_process != os.getpid():
            # The library's threads do not live on in a forked process: the next call would wait for them for ever.
            raise RuntimeError("the photo store was used before the fork; open it anew in each process")
        return backend

    def _put(self, key: str, data: bytes, *, replace: bool = False) -> None:
        with _store_trouble():
            if self._folder:
                self._put_durably(self._folder / key, data, replace=replace)
            else:
                obstore.put(self._backend, key, data, use_multipart=False)

    def _put_durably(self, path: Path, data: bytes, *, replace: bool) -> None:
        """Write, fsync, rename, fsync the folder: obstore's local store renames without any fsync (0.12)."""
        self._make_durable_folder(path.parent)
        if not replace and path.is_file() and path.stat().st_size == len(data):
            # Its time says to the sweep that somebody needs it again; its folder may not be on the disk yet.
            os.utime(path)
            _fsync_folder(path.parent)
            return
        incoming = self._write_incoming(data, durable=True)
        try:
            incoming.replace(path)
        except OSError:
            with suppress(OSError):
                incoming.unlink()
            raise
        _fsync_folder(path.parent)

    def _write_incoming(self, data: bytes, *, durable: bool) -> Path:
        assert self._folder is not None
        incoming = self._folder / _INCOMING / secrets.token_hex(16)
        incoming.parent.mkdir(parents=True, exist_ok=True)
        try:
            with incoming.open("xb") as file:
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                incoming.unlink()
            raise
        return incoming

    def _make_durable_folder(self, folder: Path) -> None:
        """Make a folder and bring its name to the disk, once in a process; another may have made it a moment ago."""
        if folder in self._durable_folders and folder.is_dir():
            return
        if folder != self._folder:
            self._make_durable_folder(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        _fsync_folder(folder.parent)
        self._durable_folders.add(folder)

    def _sweep_incoming(self, before: datetime) -> None:
        if not self._folder:
            return
        for path in (self._folder / _INCOMING).glob("*"):
            with suppress(FileNotFoundError):
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    path.unlink()


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of this store")
    return key


def _chunks(result: "GetResult") -> Iterator[bytes]:
    with _store_trouble(reading=True):
        for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _store_trouble(*, reading: bool = False) -> Iterator[None]:
    """Turn the store's faults into refusals: a file missing for a reader into 404, everything else into 503."""
    try:
        yield
    except (OSError, BaseError) as fault:
        if reading and isinstance(fault, FileNotFoundError):
            raise NotFound(Text("照片文件不存在", "The photo's file is not there")) from fault
        raise Unavailable(
            Text("照片存储暂时不可用，请稍后再试", "The photo store is not available; try again later"),
            retry_after_s=RETRY_AFTER_S,
        ) from fault
