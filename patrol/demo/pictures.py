"""Drawn photos of the demo district: a river-side view with a trouble in it, as a telephone would have taken it."""

import io
from datetime import datetime, timedelta, timezone
from typing import Literal

import numpy as np
from PIL import Image, ImageChops
from PIL.ExifTags import GPS, IFD, Base

from patrol.demo.scenery import HEIGHT, SKIES, WIDTH, painted, planted, scene_of
from patrol.demo.textures import sensor_noise, vignette
from patrol.demo.troubles import TROUBLES

PICTURE_KINDS = tuple(TROUBLES)
CAMERAS = (("Qingxi Mobile", "QX-7 Pro"), ("Qingxi Mobile", "QX-5"), ("Linhe", "L20"), ("Shanquan", "SQ Note 3"))
"""Makes and models that nobody sells."""
CHINA = timezone(timedelta(hours=8))
SIZE = (1280, 960)

Phase = Literal["before", "after"]


def draw_photo(
    kind: str,
    seed: int,
    *,
    recorded_at: datetime,
    latitude: float,
    longitude: float,
    phase: Phase = "before",
) -> bytes:
    """Return a JPEG of 1280 by 960 pixels, with EXIF: an invented camera, the time at +08:00, and the position (WGS 84).

    The same `kind` and `seed` show the same place; `after` shows it with the trouble gone, from nearly the same
    spot in slightly different light. `kind` is one of `PICTURE_KINDS` (`KeyError` otherwise); `recorded_at` is aware.
    The bytes are the same for the same arguments on one Pillow version.
    """
    paint, draw = TROUBLES[kind]
    scene, cured = scene_of(seed * len(PICTURE_KINDS) + PICTURE_KINDS.index(kind)), phase == "after"
    rng = np.random.default_rng((85, scene.seed))
    light = int(rng.integers(len(SKIES)))
    canvas = painted(scene, light if not cured or rng.random() < 0.5 else int(rng.integers(len(SKIES))))
    trouble = (86, scene.seed)
    paint(canvas, np.random.default_rng(trouble), cured)
    picture = Image.fromarray(np.clip(canvas.rgb * vignette(*canvas.rgb.shape[1::-1]), 0, 255).astype(np.uint8))
    picture = picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    planted(picture, scene)
    draw(picture, scene, np.random.default_rng(trouble), cured)
    picture = _photographed(picture, np.random.default_rng((87, scene.seed, cured)), flip=scene.seed % 2 == 0)
    buffer = io.BytesIO()
    exif = _exif(CAMERAS[seed % len(CAMERAS)], recorded_at, latitude, longitude)
    picture.save(buffer, "JPEG", quality=80, exif=exif)
    return buffer.getvalue()


def _photographed(picture: Image.Image, rng: np.random.Generator, *, flip: bool) -> Image.Image:
    """Return the picture as a hand-held telephone takes it: never quite the same frame, its own exposure, grain and dark corners."""
    left, top = (int(rng.integers(0, side - full + 1)) for side, full in ((WIDTH, SIZE[0]), (HEIGHT, SIZE[1])))
    picture = picture.crop((left, top, left + SIZE[0], top + SIZE[1]))
    if flip:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    exposure, warmth = rng.uniform(0.9, 1.08), rng.uniform(-0.03, 0.03)
    steps = np.arange(256) / 255
    curve = np.clip(steps * exposure, 0, 1)
    curve = curve + 0.35 * (curve - 0.5) * curve * (1 - curve) * 2
    tables = [np.clip(curve * (1 + gain) * 255, 0, 255).astype(int).tolist() for gain in (warmth, 0.0, -warmth)]
    picture = picture.point([value for table in tables for value in table])
    left, top = (int(v) for v in rng.integers(0, 100, 2))
    grain = sensor_noise(int(rng.integers(2))).crop((left, top, left + SIZE[0], top + SIZE[1]))
    return ImageChops.add(picture, grain, 1.0, -128)


def _exif(camera: tuple[str, str], recorded_at: datetime, latitude: float, longitude: float) -> Image.Exif:
    local = recorded_at.astimezone(CHINA)
    moment = local.strftime("%Y:%m:%d %H:%M:%S")
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.DateTime], exif[Base.Orientation] = camera[0], camera[1], moment, 1
    details = exif.get_ifd(IFD.Exif)
    details[Base.DateTimeOriginal] = details[Base.DateTimeDigitized] = moment
    details[Base.OffsetTime] = details[Base.OffsetTimeOriginal] = details[Base.OffsetTimeDigitized] = "+08:00"
    position = exif.get_ifd(IFD.GPSInfo)
    utc = recorded_at.astimezone(timezone.utc)  # noqa: UP017 - named beside CHINA
    position[GPS.GPSLatitudeRef], position[GPS.GPSLatitude] = "N" if latitude >= 0 else "S", _sexagesimal(latitude)
    position[GPS.GPSLongitudeRef], position[GPS.GPSLongitude] = "E" if longitude >= 0 else "W", _sexagesimal(longitude)
    position[GPS.GPSDateStamp] = utc.strftime("%Y:%m:%d")
    position[GPS.GPSTimeStamp] = (float(utc.hour), float(utc.minute), float(utc.second))
    return exif


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes, seconds = divmod(round(abs(degrees) * 3600, 3), 60)
    whole, minutes = divmod(minutes, 60)
    return whole, minutes, round(seconds, 3)
