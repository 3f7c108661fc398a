"""Makes photos, whole and hostile, out of nothing: no file of the real world is needed to test the intake."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

pillow_heif.register_heif_opener()


def scene(seed: int = 1, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A river in a valley, RGB: sky, hills and banks differ by seed, with fine grain as in a photograph."""
    chance = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(size)
    grain = chance.normal(0, 6, (height, width, 1)).astype(np.float32)
    ridge = 0.2 + sum(a * np.sin(f * x + p) for a, f, p in zip(
        chance.uniform(0.01, 0.08, 5), chance.uniform(3, 30, 5), chance.uniform(0, 6, 5), strict=True))
    middle = chance.uniform(0.2, 0.8) + sum(a * np.sin(f * y + p) for a, f, p in zip(
        chance.uniform(0.02, 0.2, 3), chance.uniform(3, 15, 3), chance.uniform(0, 6, 3), strict=True))
    picture = np.where((y < ridge)[..., None], chance.uniform(150, 250, 3), chance.uniform(30, 130, 3))
    water = (y >= ridge) & (abs(x - middle) < 0.05 + 0.4 * (y - ridge) * chance.uniform(0.3, 1))
    picture = np.where(water[..., None], chance.uniform(60, 200, 3), picture) + grain
    for left, top, side in chance.uniform(0.02, 0.6, (6, 3)):
        spot = (abs(x - left * 1.3) < side / 6) & (abs(y - top) < side / 8)
        picture = np.where(spot[..., None], chance.uniform(0, 255, 3), picture)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def quarters(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Red, green, blue and white quarters (left to right, top to bottom), by which any turning shows."""
    image = Image.new("RGB", (2, 2))
    image.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])
    return image.resize(size, Image.Resampling.NEAREST)


def exif(
    *, taken: str | None = "2026:05:01 08:30:00", offset: str | None = "+08:00", orientation: int | None = 1,
    position: tuple[float, float] | None = (30.25, 120.125), accuracy_m: float | None = 4.5,
    fixed: tuple[str, tuple[float, float, float]] | None = ("2026:05:01", (0.0, 29.0, 58.5)),
    make: str = "HUAWEI", model: str = "ALN-AL00", software: str = "HarmonyOS 5.0", **gps: Any,
) -> Image.Exif:
    """What a phone writes; `gps` overrides single entries by their name in `ExifTags.GPS`."""
    block, photo, place = Image.Exif(), {}, {}
    block.update({ExifTags.Base.Make: make, ExifTags.Base.Model: model, ExifTags.Base.Software: software})
    if orientation:
        block[ExifTags.Base.Orientation] = orientation
    if taken:
        photo[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        photo[ExifTags.Base.OffsetTimeOriginal] = offset
    if position:
        latitude, longitude = position
        place |= {1: "S" if latitude < 0 else "N", 2: _sixties(latitude),
                  3: "W" if longitude < 0 else "E", 4: _sixties(longitude)}
    if accuracy_m is not None:
        place[ExifTags.GPS.GPSHPositioningError] = accuracy_m
    if fixed:
        place |= {ExifTags.GPS.GPSDateStamp: fixed[0], ExifTags.GPS.GPSTimeStamp: fixed[1]}
    place |= {ExifTags.GPS[name]: value for name, value in gps.items()}
    block._ifds[ExifTags.IFD.Exif] = photo
    block._ifds[ExifTags.IFD.GPSInfo] = place
    block[ExifTags.IFD.Exif] = photo
    block[ExifTags.IFD.GPSInfo] = place
    return block


def _sixties(degrees: float) -> tuple[float, float, float]:
    minutes, seconds = divmod(abs(degrees) * 3600, 60)
    whole, minutes = divmod(minutes, 60)
    return whole, minutes, round(seconds, 4)


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    """A JPEG as a camera makes it, with Exif unless `exif=None`."""
    options.setdefault("exif", exif())
    return saved(image or scene(), "JPEG", **options)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image in the given format of Pillow."""
    file = io.BytesIO()
    if isinstance(options.get("exif"), Image.Exif):
        # pillow-heif turns the picture as the block says only when it gets bytes.
        options["exif"] = options["exif"].tobytes()
    image.save(file, kind, **{name: value for name, value in options.items() if value is not None})
    return file.getvalue()


def whole_photos() -> dict[str, bytes]:
    """One small acceptable photo of each sort, by name."""
    small = scene(3, (96, 72))
    clear = small.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(small.size))
    grey16 = Image.fromarray((np.asarray(small.convert("L")).astype(np.uint16) << 8) + 99)
    frames = [scene(seed, (96, 72)) for seed in (3, 4)]
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "taken by Zhang San", zip=True)
    plain = jpeg(small, exif=None)
    return {
        "jpeg": jpeg(small), "jpeg progressive": jpeg(small, progressive=True), "jpeg grey": jpeg(small.convert("L")),
        "jpeg cmyk": jpeg(small.convert("CMYK")), "jpeg bare": plain, "jpeg motion": motion_photo(jpeg(small)),
        "jpeg pair": saved(small, "MPO", save_all=True, append_images=frames[1:]),
        "jpeg restart": jpeg(small, restart_marker_rows=1), "jpeg padded": plain[:2] + b"\xff" * 9 + plain[2:],
        "png": saved(small, "PNG", exif=exif(), pnginfo=notes), "png clear": saved(clear, "PNG"),
        "png palette": saved(small.quantize(16), "PNG", transparency=0), "png grey16": saved(grey16, "PNG"),
        "png bits": saved(small.convert("1"), "PNG"), "png grey alpha": saved(clear.convert("LA"), "PNG"),
        "png moving": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "webp": saved(small, "WEBP", exif=exif(), quality=80), "webp lossless": saved(clear, "WEBP", lossless=True),
        "webp moving": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "heic": saved(small, "HEIF", exif=exif(), quality=60),
    }


def foreign_files() -> dict[str, bytes]:
    """Files of other kinds that people send, or that come disguised as `.jpg`."""
    small = scene(2, (32, 24))
    return {
        "gif": saved(small, "GIF"), "tiff": saved(small, "TIFF"), "bmp": saved(small, "BMP"),
        "avif": saved(small, "AVIF"), "ico": saved(small, "ICO"), "jpeg2000": saved(small, "JPEG2000"),
        "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "html": b"<!doctype html><script>alert(1)</script>", "pdf": b"%PDF-1.7\n" + jpeg(small),
        "zip": b"PK\x03\x04" + jpeg(small), "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64),
        "text": "不是照片".encode(), "gif before jpeg": b"GIF89a" + jpeg(small), "php": b"<?php system('id'); ?>",
    }


def motion_photo(photo: bytes) -> bytes:
    """A phone's live photo: the video lies behind the end of the JPEG."""
    return photo + b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(range(256)) * 4 + b"\xff\xd8\xff\xd9"


def polyglots() -> dict[str, bytes]:
    """Real JPEGs that are something else as well."""
    photo = jpeg(scene(2, (32, 24)), exif=None)
    note = b"<script>alert(1)</script>"
    return {
        "html in a comment": photo[:2] + b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note + photo[2:],
        "zip behind": photo + b"PK\x03\x04" + bytes(40) + b"PK\x05\x06" + bytes(18),
    }


def segments(data: bytes) -> list[tuple[int, bytes]]:
    """The segments of a JPEG before its first scan: marker and body."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        length = struct.unpack_from(">H", data, at + 2)[0]
        found.append((data[at + 1], data[at + 4:at + 2 + length]))
        at += 2 + length
    return found


def with_segment(photo: bytes, marker: int, body: bytes, times: int = 1) -> bytes:
    """The JPEG with more segments right after its beginning."""
    return photo[:2] + (b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body) * times + photo[2:]


def with_frame_size(photo: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its header."""
    at = max(photo.find(marker) for marker in (b"\xff\xc0\0", b"\xff\xc2\0"))
    return photo[:at + 5] + struct.pack(">HH", height, width) + photo[at + 9:]


def tall_jpeg(width: int, height: int) -> bytes:
    """A true baseline JPEG of any height, cheaply: one row of blocks again and again between restart markers."""
    strip = saved(scene(5, (width, 16)), "JPEG", quality=50)
    start = strip.index(b"\xff\xda")
    body = start + 2 + struct.unpack_from(">H", strip, start + 2)[0]
    row, rows = strip[body:-2], -(-height // 16)
    interval = b"\xff\xdd\0\x04" + struct.pack(">H", -(-width // 16))
    scan = b"".join(row + (bytes([0xFF, 0xD0 + number % 8]) if number < rows - 1 else b"") for number in range(rows))
    return with_frame_size(strip[:start] + interval + strip[start:body] + scan + b"\xff\xd9", width, height)


def chunk(name: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of_zeros(width: int, height: int, *, whole: bool = True) -> bytes:
    """A grey PNG whose pixels are all black: tiny to send, huge to hold. Without `whole` only its header."""
    header = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    if not whole:
        return header
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    return header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def webp_header(width: int, height: int) -> bytes:
    """The first chunk of an extended WebP with a canvas of the given size, and nothing more."""
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + 8 + 10) + b"WEBPVP8X" + struct.pack("<I", 10) + canvas


def tiff(*entries: tuple[int, int, int, bytes], order: str = "<", tail: bytes = b"") -> bytes:
    """An Exif block by hand: (tag, type, count, four bytes) in one directory, with `tail` behind it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    body = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries)
    return head + struct.pack(order + "H", len(entries)) + body + bytes(4) + tail


def exif_rubbish() -> dict[str, bytes]:
    """Exif blocks that make readers stumble."""
    good = exif().tobytes()
    return {
        "nothing": b"", "heading only": b"Exif\0\0", "no byte order": b"Exif\0\0XX*\0\x08\0\0\0",
        "cut": good[:40], "points outside": b"II*\0\xff\xff\xff\xff", "points at itself": b"II*\0\0\0\0\0",
        "endless directory": tiff((0x8769, 4, 1, struct.pack("<I", 8)), (0x8825, 4, 1, struct.pack("<I", 8))),
        "unknown types": tiff((0x010F, 99, 4, b"abcd"), (0x0112, 0, 1, b"\1")),
        "huge counts": tiff(*((tag, 5, 0xFFFFFFFF, b"\xff\xff\xff\xff") for tag in range(0x0100, 0x0140))),
        "broken entries by the thousand": tiff(*((tag, 7, 60_000, b"\x08\0\0\0") for tag in range(0x9000, 0xA300))),
        "float pointer": tiff((0x8769, 10, 1, b"\x1a\0\0\0"), tail=b"\xff" * 8),
        "noise": np.random.default_rng(7).bytes(5_000),
    }


def profile_of(name: str) -> bytes:
    """The bytes of a colour profile that Pillow can make: "sRGB", "LAB" or "XYZ"."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()  # type: ignore[arg-type]


WEBP_OF_MANY_PIECES = (
    b"RIFF" + struct.pack("<I", 4 + 18 + 8 * 200_000) + webp_header(10, 10)[8:] + b"abcd\0\0\0\0" * 200_000
)
