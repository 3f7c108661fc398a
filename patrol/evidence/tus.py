"""The words of tus 1.0 (https://tus.io/protocols/resumable-upload): headers read into values, its own refusals. Pure."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

from patrol.foundation.errors import BadRequest, Refusal, UnsupportedKind
from patrol.foundation.json_safety import refuse_unsafe_text
from patrol.foundation.texts import Text

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
CHUNK_TYPE = "application/offset+octet-stream"
ALGORITHMS = {"sha1": 20, "sha256": 32}
LONGEST_METADATA = 4_000

_NAME = re.compile(r"[!-+\--~]{1,100}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_OTHER_VERSION = Text(
    "请以 Tus-Resumable: 1.0.0 发送，本服务只支持此版本", "Send Tus-Resumable: 1.0.0: this is the only version spoken here"
)
_NO_NUMBER = Text("{header} 应为不小于 0 的整数", "{header} should be a whole number of at least 0")
_BAD_METADATA = Text(
    "Upload-Metadata 应为以逗号分隔的“名称 Base64 值”，名称不得重复",
    "Upload-Metadata should be pairs of a name and its value in Base64, separated by commas, each name once",
)
_LONG_METADATA = Text("Upload-Metadata 最多 {most} 个字符", "Upload-Metadata may have at most {most} characters")
_BAD_CHECKSUM = Text("Upload-Checksum 应为“算法 Base64 摘要”", "Upload-Checksum should be an algorithm and the digest in Base64")
_NO_ALGORITHM = Text(
    "不支持这种校验算法，可用：{names}", "This checksum algorithm is not supported; there are {names}"
)
_NO_CHUNK = Text("请以 Content-Type: {kind} 发送数据块", "Send chunks with Content-Type: {kind}")


class OtherVersion(Refusal):
    status, kind, title = 412, "tus-version", Text("协议版本不对", "Other protocol version")


class Gone(Refusal):
    status, kind, title = 410, "gone", Text("已过期", "Expired")


class Locked(Refusal):
    status, kind, title = 423, "locked", Text("正在上传", "Being written")


class ChecksumMismatch(Refusal):
    """A code of tus itself (checksum extension); HTTP has none for it."""

    status, kind, title = 460, "checksum-mismatch", Text("校验不符", "Checksum mismatch")


class Digest(Protocol):
    """What the objects of `hashlib` can do."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def digest(self) -> bytes:
        """Return the digest of all bytes so far."""


@dataclass(frozen=True)
class Checksum:
    """The digest that a client gives for one chunk; `algorithm` is one of `ALGORITHMS`."""

    algorithm: str
    digest: bytes

    def started(self) -> Digest:
        """Return an empty digest of this algorithm."""
        # SHA-1 is what the clients send; it guards against broken lines, not against people.
        return hashlib.new(self.algorithm, usedforsecurity=False)


def refuse_other_version(header: str | None) -> None:
    """Raise OtherVersion (412) unless a request speaks tus 1.0.0."""
    if header != VERSION:
        raise OtherVersion(_OTHER_VERSION)


def refuse_other_type(mimetype: str) -> None:
    """Raise UnsupportedKind (415) unless a body is a chunk."""
    if mimetype != CHUNK_TYPE:
        raise UnsupportedKind(_NO_CHUNK.format(kind=CHUNK_TYPE))


def number_in(header: str, value: str | None) -> int:
    """Return the number in a header. Raises BadRequest (400) when it is missing or none."""
    if value is None or not _NUMBER.fullmatch(value):
        raise BadRequest(_NO_NUMBER.format(header=header))
    return int(value)


def checksum_in(value: str | None) -> Checksum | None:
    """Return the chunk's checksum, None without the header. Raises BadRequest (400) for other algorithms and malformed digests."""
    if value is None:
        return None
    algorithm, _, encoded = value.partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadRequest(_NO_ALGORITHM.format(names=", ".join(ALGORITHMS)))
    digest = _decoded(encoded.strip(), _BAD_CHECKSUM)
    if len(digest) != ALGORITHMS[algorithm]:
        raise BadRequest(_BAD_CHECKSUM)
    return Checksum(algorithm, digest)


def metadata_in(value: str | None) -> dict[str, str]:
    """Return the pairs of Upload-Metadata, decoded. Raises BadRequest (400) for what is no such list or no text."""
    if value is None or not value.strip():
        return {}
    if len(value) > LONGEST_METADATA:
        raise BadRequest(_LONG_METADATA.format(most=LONGEST_METADATA))
    pairs: dict[str, str] = {}
    for pair in value.split(","):
        name, _, encoded = pair.strip().partition(" ")
        if not _NAME.fullmatch(name) or name in pairs:
            raise BadRequest(_BAD_METADATA)
        try:
            pairs[name] = _decoded(encoded.strip(), _BAD_METADATA).decode()
        except UnicodeDecodeError as error:
            raise BadRequest(_BAD_METADATA) from error
        refuse_unsafe_text(pairs[name])
    return pairs


def http_date(moment: datetime) -> str:
    """Return a moment as Upload-Expires wants it: an HTTP date (RFC 9110, 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _decoded(encoded: str, fault: Text) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(fault) from error
