"""The sizes that people look at, drawn from the original: upright, in sRGB, and with nothing but the picture in them.

Done by the worker, one photo at a time in a process: a decode may take 300 MB, and two at once would not fit.
"""

import threading
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from patrol.evidence.exif import read_facts
from patrol.evidence.intake import DECODER_FAULTS, opened
from patrol.evidence.likeness import perceptual_hash
from patrol.evidence.structure import outline_of
from patrol.foundation.errors import Refusal

LONGEST_SIDE_PX = {"screen": 1600, "thumb": 320}
JPEG_QUALITY = 80
# Press profiles have about 2 MB; a larger one is no photo's.
MOST_PROFILE_BYTES = 4_000_000

_SRGB = ImageCms.createProfile("sRGB")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_one_decode = threading.Lock()


class BrokenImage(Exception):
    """The original cannot be drawn; `reason` says why, in words for the log."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Renditions:
    """JPEG bytes by size name ("thumb", "screen") and the perceptual hash of the picture, 16 hexadecimal digits."""

    sizes: dict[str, bytes]
    phash: str


def derive(original: bytes) -> Renditions:
    """Draw the sizes of one original, never larger than the original itself.

    Only the first frame of an animation counts; what is transparent becomes white.

    Raises:
        BrokenImage: the bytes cannot be drawn; trying again gives the same.
    """
    try:
        with _one_decode:
            picture = _reduced_picture(original)
    except Refusal as refusal:
        raise BrokenImage(refusal.detail.en) from refusal
    except DECODER_FAULTS as fault:
        raise BrokenImage(f"{type(fault).__name__}: {fault}") from fault
    sizes = {}
    for name, side_px in LONGEST_SIDE_PX.items():
        picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        sizes[name] = _as_jpeg(picture)
    return Renditions(sizes, perceptual_hash(picture))


def _reduced_picture(original: bytes) -> Image.Image:
    """The upright RGB picture, at least as large as the largest size where the original is."""
    side_px = max(LONGEST_SIDE_PX.values())
    outline = outline_of(original)
    with opened(outline) as image:
        orientation = read_facts(outline.exif or image.info.get("exif")).orientation
        profile = image.info.get("icc_profile")
        width, height = image.size
        scale = min(1.0, side_px / max(width, height))
        image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
        picture = _decoded(image)
        # A quarter more than needed leaves the fine filter enough to work on, without its cost on the whole picture.
        picture = _averaged(picture, max(1, 4 * max(picture.size) // (5 * side_px)))
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=None)
    picture = _in_srgb(_on_white(picture), profile)
    turn = _TURNS.get(orientation or 1)
    return picture.transpose(turn) if turn is not None else picture


def _decoded(image: Image.Image) -> Image.Image:
    if image.format == "WEBP":
        return _decoded_webp(image)
    image.load()
    return image


def _decoded_webp(image: Image.Image) -> Image.Image:
    """Decode the first frame; `RGBX` where it is opaque."""
    # Pillow's `load` holds four copies of the picture at once, 400 MB at 24 megapixels, because its decoder keeps two
    # for the next frame. Taking the first frame and letting go of the decoder saves one of them.
    decoder = vars(image).pop("_decoder", None)
    if decoder is None:
        image.load()
        return image
    frame = decoder.get_next()
    if frame is None:
        raise EOFError("no frame can be decoded")
    mode = "RGBA" if image.mode == "RGBA" else "RGBX"
    return Image.frombuffer(mode, image.size, frame[0], "raw", mode, 0, 1)


def _averaged(picture: Image.Image, factor: int) -> Image.Image:
    """One pixel for each square of `factor` × `factor`; by strips, since translating the whole doubles its memory."""
    if factor == 1:
        return _plain(picture)
    width, height = picture.size
    parts = [
        (top // factor, _plain(picture.crop((0, top, width, min(top + 64 * factor, height)))).reduce(factor))
        for top in range(0, height, 64 * factor)
    ]
    averaged = Image.new(parts[0][1].mode, (-(-width // factor), -(-height // factor)))
    for top, part in parts:
        averaged.paste(part, (0, top))
    return averaged


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in a mode whose numbers can be averaged: L, LA, RGB, RGBX, RGBA or CMYK."""
    if picture.mode.startswith("I"):
        # Pillow cuts 16-bit grey off at 255 where it should divide.
        return Image.fromarray((np.clip(np.asarray(picture), 0, 65_535) >> 8).astype(np.uint8))
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ("L", "LA", "RGB", "RGBX", "RGBA", "CMYK") else picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGBX":
        return picture.convert("RGB")
    if picture.mode not in ("LA", "RGBA"):
        return picture
    picture = picture.convert("RGBA")
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Translate the colours when the photo says what they are; a profile that makes no sense is passed over."""
    if profile and len(profile) <= MOST_PROFILE_BYTES:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            if not (picture.mode == "RGB" and ImageCms.getProfileDescription(source).startswith("sRGB")):
                translated = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
                return translated or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return picture.convert("RGB")
    return picture.convert("RGB")


def _as_jpeg(picture: Image.Image) -> bytes:
    # Pillow writes comments and more from here into the new file.
    picture.info = {}
    file = BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
