"""What a photo file is made of, read from its bytes without decoding a pixel.

The container is walked piece by piece: that tells the kind, the size in pixels, whether the file is whole, and which
pieces a decoder may see. Decoders are given only pixels and colours; descriptions, comments and second pictures never
reach them, which keeps what a hostile file can make them do small.
"""

import re
import struct
import zlib
from typing import NamedTuple

from patrol.foundation.errors import Invalid, Refusal, TooLarge, UnsupportedKind
from patrol.foundation.texts import Text

# All but JPEG must be held whole while they are decoded: 24 megapixels take 130 MB as PNG, 180 MB as HEIC, 290 MB as
# WebP. A JPEG is decoded at an eighth of its size, so that the 200-megapixel photos of present phones fit as well.
MOST_PIXELS = {"JPEG": 200_000_000, "PNG": 24_000_000, "WEBP": 24_000_000, "HEIF": 24_000_000}
# A JPEG that comes in several passes is held whole as coefficients of two bytes, whatever the size it is drawn at.
MOST_COEFFICIENT_BYTES = 200_000_000
MOST_PASSES = 100
MOST_PIECES = {"JPEG": 4_000, "PNG": 65_536, "WEBP": 65_536, "HEIF": 1_000}

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"sBIT"}
_PNG_TEXTS, _EXIF_KEYWORDS = {b"tEXt", b"zTXt"}, {b"Raw profile type exif", b"Raw profile type APP1"}
# Twice the largest Exif block that is read, and the ends of its lines.
_MOST_PROFILE_BYTES = 600_000
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_FOREIGN = (
    (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"BM", "BMP"), (b"%PDF", "PDF"), (b"PK\x03\x04", "ZIP"),
    (b"\x00\x00\x01\x00", "ICO"), (b"8BPS", "PSD"), (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"), (b"\xff\x0a", "JPEG XL"),
)
# Any number of 0xFF may stand before a marker. In a scan 0xFF stands before 0x00 (a plain 0xFF)
# or a restart marker; anything else ends the scan.
_NOT_PADDING = re.compile(rb"[^\xff]")
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


class Outline(NamedTuple):
    """A whole file in one of the four kinds."""

    format: str
    exif: bytes | None
    bare: bytes
    """What a decoder may see: the picture and its colours."""


def outline_of(data: bytes) -> Outline:
    """Walk the file and return its outline.

    Raises:
        UnsupportedKind: other than JPEG, PNG, WebP or HEIC, or a sort of these that cameras do not make.
        TooLarge: more pixels than can be decoded safely; known from the header, before the rest is looked at.
        Invalid: empty, cut off, or not put together as its kind demands.
    """
    if not data:
        raise Invalid(Text("文件是空的", "The file is empty"))
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(PNG_SIGNATURE):
            return _png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        if data[4:8] == b"ftyp":
            return _heif(data)
    except (struct.error, IndexError):
        raise cut_off() from None
    name = next((name for magic, name in _FOREIGN if data.startswith(magic)), None)
    raise _unsupported(name)


def refuse_too_many_pixels(kind: str, width: int, height: int) -> None:
    """Raise `TooLarge` above the kind's limit and `Invalid` for a picture without pixels."""
    if width * height > MOST_PIXELS[kind]:
        most = MOST_PIXELS[kind]
        raise TooLarge(Text(
            f"照片有 {width}×{height} 像素，{kind} 最多 {most // 10_000} 万像素",
            f"The photo has {width}×{height} pixels; a {kind} may have at most {most // 1_000_000} megapixels",
        ))
    if width < 1 or height < 1:
        raise damaged()


def cut_off() -> Refusal:
    """The refusal of a file that ends before its end."""
    return Invalid(Text("照片不完整，请重新上传", "The photo is cut off; send it again"))


def damaged() -> Refusal:
    """The refusal of a file whose parts contradict its kind."""
    return Invalid(Text("照片文件已损坏", "The photo file is damaged"))


def _unsupported(name: str | None) -> Refusal:
    found = Text(f"这是 {name} 文件", f"This file is {name}") if name else Text("这不是照片", "This is not a photo")
    return UnsupportedKind(Text(
        "{found}，只接受 JPEG、PNG、WebP、HEIC", "{found}; only JPEG, PNG, WebP and HEIC are accepted",
    ).format(found=found))


def _jpeg(data: bytes) -> Outline:
    """Follow the markers of ITU-T T.81 annex B up to the end of the first picture; phones put videos behind it."""
    kept, exif, frame, passes, at = [data[:2]], b"", b"", 0, 2
    for _ in range(MOST_PIECES["JPEG"]):
        at, marker = _jpeg_marker(data, at)
        if marker == 0xD9:
            if not passes:
                raise damaged()
            kept.append(data[at:at + 2])
            return Outline("JPEG", exif or None, b"".join(kept))
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if end > len(data):
            raise cut_off()
        body = data[at + 4:end]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if frame or passes:
                raise damaged()
            frame = bytes([marker]) + body
            refuse_too_many_pixels("JPEG", *_frame_size(frame))
        if marker == 0xDA:
            passes += 1
            _refuse_costly_passes(frame, body, passes)
            found = _SCAN_END.search(data, end)
            if not found:
                raise cut_off()
            end = found.start()
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            exif = exif or body
        if marker < 0xE0 or body.startswith((b"JFIF\0", b"ICC_PROFILE\0", b"Adobe")):
            kept.append(data[at:end])
        at = end
    raise damaged()


def _jpeg_marker(data: bytes, at: int) -> tuple[int, int]:
    """Where the marker after any padding starts, and which it is."""
    letter = _NOT_PADDING.search(data, at)
    if not letter:
        raise cut_off()
    marker = letter[0][0]
    if letter.start() == at or marker in (0x00, 0x01, 0xD8):
        raise damaged()
    return letter.start() - 1, marker


def _frame_size(frame: bytes) -> tuple[int, int]:
    """Width and height of a frame header; only the two sorts of JPEG that cameras and browsers write."""
    if not frame:
        raise damaged()
    marker, bits, height, width, parts = struct.unpack_from(">BBHHB", frame)
    if marker not in (0xC0, 0xC1, 0xC2) or bits != 8 or parts not in (1, 3, 4):
        raise UnsupportedKind(Text(
            "不支持这种 JPEG 编码，请用手机相机直接拍摄的照片",
            "This sort of JPEG is not supported; send the camera's own file",
        ))
    if len(frame) < 7 + 3 * parts:
        raise damaged()
    return width, height


def _refuse_costly_passes(frame: bytes, scan: bytes, passes: int) -> None:
    """Raise `TooLarge` for a JPEG in several passes that a decoder could not hold, or with passes without number."""
    width, height = _frame_size(frame)
    if frame[0] != 0xC2 and scan[0] == frame[6]:
        return
    shares = [((factor >> 4) or 1, (factor & 15) or 1) for factor in frame[8:7 + 3 * frame[6]:3]]
    widest, tallest = max(h for h, _ in shares), max(v for _, v in shares)
    coefficients = sum(width * h * height * v for h, v in shares) // (widest * tallest)
    if coefficients * 2 > MOST_COEFFICIENT_BYTES or passes > MOST_PASSES:
        raise TooLarge(Text(
            "渐进式 JPEG 过大，请用普通 JPEG", "This progressive JPEG is too large; send a plain JPEG",
        ))


def _png(data: bytes) -> Outline:
    """Follow the chunks (W3C PNG, 5.3) up to IEND; animation and text are left out of what a decoder sees."""
    length, name, width, height = struct.unpack_from(">I4sII", data, 8)
    if (length, name) != (13, b"IHDR"):
        raise damaged()
    refuse_too_many_pixels("PNG", width, height)
    kept, exif, profile, seen, at = [PNG_SIGNATURE], None, None, set(), 8
    for _ in range(MOST_PIECES["PNG"]):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise cut_off()
        if name == b"eXIf":
            exif = data[at + 8:end - 4]
        elif name in _PNG_TEXTS:
            profile = profile or _exif_as_text(name, data[at + 8:end - 4])
        if name in _PNG_KEPT:
            kept.append(data[at:end])
        seen.add(name)
        if name == b"IEND":
            if b"IDAT" not in seen:
                raise damaged()
            return Outline("PNG", exif or profile, b"".join(kept))
        at = end
    raise damaged()


def _exif_as_text(name: bytes, body: bytes) -> bytes | None:
    """Return the Exif block that ImageMagick writes as text: behind its name and its length lines of hexadecimal digits."""
    keyword, _, text = body.partition(b"\0")
    if keyword not in _EXIF_KEYWORDS:
        return None
    try:
        text = zlib.decompressobj().decompress(text[1:], _MOST_PROFILE_BYTES) if name == b"zTXt" else text[:_MOST_PROFILE_BYTES]
        return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii")) or None
    except (zlib.error, ValueError):
        return None


def _webp(data: bytes) -> Outline:
    """Follow the chunks (RFC 9649, 2.3) up to the end that the RIFF header names."""
    whole = 8 + struct.unpack_from("<I", data, 4)[0]
    refuse_too_many_pixels("WEBP", *_webp_size(data))
    if whole > len(data):
        raise cut_off()
    exif, seen, at = None, set(), 12
    for _ in range(MOST_PIECES["WEBP"]):
        if at >= whole:
            break
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length
        if end > whole:
            raise cut_off()
        if name == b"EXIF":
            exif = data[at + 8:end]
        seen.add(name)
        at = end + (length & 1)
    if at < whole or not seen & {b"VP8 ", b"VP8L", b"ANMF"}:
        raise damaged()
    return Outline("WEBP", exif, data[:whole])


def _webp_size(data: bytes) -> tuple[int, int]:
    """The canvas of a WebP from its first chunk."""
    name = data[12:16]
    if name == b"VP8X":
        return (
            int.from_bytes(data[24:27], "little") + 1 if len(data) >= 30 else 0,
            int.from_bytes(data[27:30], "little") + 1,
        )
    if name == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise damaged()


def _heif(data: bytes) -> Outline:
    """Follow the top boxes (ISO/IEC 14496-12, 4.2); the picture's size is left to libheif, which knows the items."""
    brands_end = struct.unpack_from(">I", data)[0]
    brands = {data[8:12], *(data[at:at + 4] for at in range(16, min(brands_end, 512), 4))}
    if not brands & _HEIF_BRANDS:
        raise _unsupported("AVIF" if brands & {b"avif", b"avis"} else None)
    seen: set[bytes] = set()
    at = 0
    for _ in range(MOST_PIECES["HEIF"]):
        whole = {b"meta", b"mdat"} <= seen
        if at == len(data) or (whole and len(data) - at < 8):
            break
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1:
            length = struct.unpack_from(">Q", data, at + 8)[0]
        elif length == 0:
            length = len(data) - at
        if length < 8:
            if whole:
                break
            raise damaged()
        if at + length > len(data):
            raise cut_off()
        seen.add(name)
        at += length
    if not {b"meta", b"mdat"} <= seen:
        raise cut_off()
    return Outline("HEIF", None, data)
