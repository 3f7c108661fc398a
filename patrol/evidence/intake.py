"""Is this file a photo that we can keep, and what does it say about itself?

Decided by content alone, from headers, while a person waits: no pixel is decoded here, names and declared types count
for nothing. Whether every pixel can be drawn shows when the sizes are derived (`renditions.py`).
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pillow_heif
from PIL import Image

from patrol.evidence.exif import PhotoFacts, read_facts
from patrol.evidence.structure import MOST_PIXELS, Outline, damaged, outline_of, refuse_too_many_pixels
from patrol.foundation.errors import Refusal, TooLarge
from patrol.foundation.texts import Text

MOST_BYTES = 25_000_000
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}
TURNED_ON_ITS_SIDE = range(5, 9)

# What decoders were seen to raise on damaged files.
DECODER_FAULTS = (
    SyntaxError, OSError, ValueError, EOFError, RuntimeError, IndexError, KeyError, OverflowError, ZeroDivisionError,
    struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)

# An embedded thumbnail may show another picture than the photo, and Pillow would prefer it when it makes small sizes.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
# Pillow's own limit would refuse a phone's 200-megapixel JPEG; `structure.py` has limits by kind.
Image.MAX_IMAGE_PIXELS = max(MOST_PIXELS.values())


@dataclass(frozen=True, slots=True)
class ExaminedPhoto:
    """A file that may be kept; `width` and `height` are those of the upright picture, in pixels."""

    format: str
    """JPEG, PNG, WEBP or HEIF."""
    media_type: str
    width: int
    height: int
    sha256: str
    """64 hexadecimal digits."""
    size_bytes: int
    exif: PhotoFacts


def examine(source: bytes | Path | BinaryIO, *, most_bytes: int = MOST_BYTES) -> ExaminedPhoto:
    """Examine a file by its content and return what is known of it.

    A stream is read from where it stands, at most `most_bytes` + 1 of it.

    Raises:
        TooLarge: more than `most_bytes`, or more pixels than its kind may have.
        UnsupportedKind: not a JPEG, PNG, WebP or HEIC.
        Invalid: empty, cut off or damaged.
        OSError: the source itself cannot be read.
    """
    data = _content(source, most_bytes)
    outline = outline_of(data)
    with opened(outline) as image:
        facts = read_facts(outline.exif or image.info.get("exif"))
        width, height = image.size
    if facts.orientation in TURNED_ON_ITS_SIDE:
        width, height = height, width
    return ExaminedPhoto(
        format=outline.format, media_type=MEDIA_TYPES[outline.format], width=width, height=height,
        sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), exif=facts,
    )


@contextmanager
def opened(outline: Outline) -> Iterator[Image.Image]:
    """Open the photo's header with the decoder of its kind and no other.

    Raises:
        TooLarge: more pixels than its kind may have, where only the decoder can tell (HEIC).
        Invalid: the decoder does not accept the header.
    """
    try:
        image = Image.open(BytesIO(outline.bare), formats=(outline.format,))
    except DECODER_FAULTS:
        raise damaged() from None
    with image:
        refuse_too_many_pixels(outline.format, *image.size)
        yield image


def _content(source: bytes | Path | BinaryIO, most_bytes: int) -> bytes:
    """The whole content, refused before it is read where its size is known."""
    if isinstance(source, Path):
        if source.stat().st_size > most_bytes:
            raise _too_many_bytes(most_bytes)
        with source.open("rb") as stream:
            data = stream.read(most_bytes + 1)
    else:
        data = source if isinstance(source, bytes) else source.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise _too_many_bytes(most_bytes)
    return data


def _too_many_bytes(most_bytes: int) -> Refusal:
    most_mb = f"{most_bytes / 1_000_000:g}"
    return TooLarge(Text(f"照片超过 {most_mb} MB", f"The photo is larger than {most_mb} MB"))
