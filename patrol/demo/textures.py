"""What the drawn photos are made of: noise tiles, foliage and reeds, each made once and kept."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Field = NDArray[np.float32]
TILE = 1024


@lru_cache(maxsize=32)
def fractal(roughness: float, number: int = 0) -> Field:
    """Return a `(TILE, TILE)` noise that tiles without seams, mean 0 and deviation 1; a higher `roughness` is smoother."""
    rng = np.random.default_rng((77, number))
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE)).astype(np.float32))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :]).astype(np.float32)
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(spectrum * frequency ** np.float32(-roughness), s=(TILE, TILE))
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)


def sample(tile: Field, u: Field, v: Field) -> Field:
    """Return the tile's values at the (wrapped) columns `u` and rows `v`."""
    index = ((v.astype(np.int32) & (TILE - 1)) << 10) | (u.astype(np.int32) & (TILE - 1))
    return tile.ravel().take(index)


@lru_cache(maxsize=4)
def sensor_noise(number: int) -> Image.Image:
    """Return the grain of a small sensor, 128 in the mean, somewhat larger than the picture so that it can be shifted."""
    rng = np.random.default_rng((78, number))
    grey = rng.normal(0, 3.6, (1100, 1400, 1))
    colour = rng.normal(0, 1.8, (1100, 1400, 3))
    return Image.fromarray(np.clip(128 + grey + colour, 0, 255).astype(np.uint8))


@lru_cache(maxsize=1)
def vignette(width: int, height: int) -> Field:
    """Return how much of the light reaches each pixel, `(height, width, 1)`: lenses darken the corners."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(1.0 - 0.16 * np.clip(x**2 * 0.8 + y**2 * 0.6 - 0.15, 0, None), dtype=np.float32)[..., None]


@lru_cache(maxsize=64)
def bush(number: int, kind: str = "bush") -> Image.Image:
    """Return foliage with its outline as alpha, 256 pixels wide; `kind` is bush or tree."""
    rng = np.random.default_rng((79, number))
    size = 256
    y, x = np.mgrid[0:1:256j, 0:1:256j]
    density = np.full((size, size), -9.0)
    height = np.zeros((size, size))
    for cx, cy, radius in _crowns(kind, rng):
        distance = ((x - cx) ** 2 + ((y - cy) * 1.1) ** 2) / radius**2
        density = np.maximum(density, 1 - distance)
        height = np.maximum(height, np.where(distance < 1, 1 - (y - cy + radius) / (2 * radius), 0))
    offset = rng.integers(0, TILE - size, 2)
    window = (slice(offset[0], offset[0] + size), slice(offset[1], offset[1] + size))
    clumps, leaves = fractal(1.7)[window], fractal(0.7, 1)[window]
    alpha = np.clip((density - 0.12 + 0.3 * clumps + 0.3 * leaves) * 5, 0, 1)
    light = np.clip(0.4 + 0.4 * height + 0.16 * clumps + 0.2 * leaves, 0.08, 1.3)
    tint = np.array({"bush": (92, 118, 56), "tree": (74, 104, 54)}[kind]) * rng.uniform(0.85, 1.1)
    rgb = tint * light[..., None] + np.array((26, 22, 0)) * np.clip(light - 0.75, 0, 1)[..., None] * 2
    picture = np.dstack((np.clip(rgb, 0, 255), alpha * 255)).astype(np.uint8)
    result = Image.fromarray(picture)
    if kind == "tree":  # Without a trunk a crown floats.
        trunk = Image.new("RGBA", (size, size))
        draw = ImageDraw.Draw(trunk)
        draw.polygon([(121, 256), (137, 256), (132, 120), (126, 120)], fill=(66, 54, 42, 255))
        result = Image.alpha_composite(trunk, result)
    return result


def _crowns(kind: str, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    if kind == "tree":
        return [
            (float(rng.uniform(0.26, 0.74)), float(rng.uniform(0.18, 0.62)), float(rng.uniform(0.1, 0.2)))
            for _ in range(15)
        ]
    return [
        (float(rng.uniform(0.24, 0.76)), float(rng.uniform(0.55, 0.86)), float(rng.uniform(0.09, 0.19)))
        for _ in range(16)
    ]


@lru_cache(maxsize=16)
def reeds(number: int, *, dry: bool = False) -> Image.Image:
    """Return a clump of reeds or tall grass, 256 by 256 pixels, rooted at the lower edge."""
    rng = np.random.default_rng((80, number))
    big = Image.new("RGBA", (512, 512))
    draw = ImageDraw.Draw(big)
    for _ in range(230):
        root = float(rng.normal(256, 85))
        lean, tall = (
            float(rng.normal(0, 60)) + (root - 256) * 0.35,
            float(rng.uniform(190, 490)) * (1 - abs(root - 256) / 420),
        )
        shade = float(rng.uniform(0.45, 1.15))
        colour = (158, 140, 84) if dry or rng.random() < 0.2 else (96, 124, 54)
        fill = (*(int(min(255, c * shade)) for c in colour), 255)
        foot = 455 + 50 * math.sqrt(max(0.0, 1 - ((root - 256) / 220) ** 2)) * float(rng.uniform(0.3, 1))
        middle = (root + lean * 0.35, foot - tall * 0.58)
        width = int(rng.integers(3, 7))
        draw.line([(root, foot), middle], fill=fill, width=width)
        draw.line([middle, (root + lean, foot - tall * 0.9)], fill=fill, width=max(1, width - 2))
    return big.resize((256, 256), Image.Resampling.LANCZOS)


def scaled(kind: str, number: int, height: int) -> Image.Image:
    """Return a plant about `height` pixels high, in steps of an eighth so that few different ones are made and kept."""
    step = round(math.log(max(height, 4)) / math.log(1.125))
    return _scaled(kind, number, int(1.125**step))


def mirrored(kind: str, number: int, height: int) -> tuple[Image.Image, Image.Image]:
    """Return the faint image in the water of the plant that `scaled` gives for the same: its colours, and its alpha."""
    return _mirrored(kind, number, scaled(kind, number, height).height)


@lru_cache(maxsize=256)
def _mirrored(kind: str, number: int, height: int) -> tuple[Image.Image, Image.Image]:
    plant = _scaled(kind, number, height)
    image = plant.resize((plant.width, max(3, int(plant.height * 0.7)))).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return image, image.getchannel("A").point([int(alpha * 0.36) for alpha in range(256)])


@lru_cache(maxsize=1024)
def _scaled(kind: str, number: int, height: int) -> Image.Image:
    plant = reeds(number, dry=kind == "dry") if kind in ("reeds", "dry") else bush(number, kind)
    size = (int(height * (1.35 if kind == "bush" else 1.0)), height)
    return plant.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def shadow(width: int, height: int, strength: int = 110) -> Image.Image:
    """Return a soft dark ellipse about so wide and high, the shade under a thing that stands on the ground."""
    step = max(4, width // 6)
    return _shadow(max(4, width - width % step), max(3, height - height % max(2, height // 4)), strength)


@lru_cache(maxsize=512)
def _shadow(width: int, height: int, strength: int) -> Image.Image:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    dark = np.clip(1.15 - (x**2 + y**2) * 1.15, 0, 1) ** 1.3 * strength
    colour = np.broadcast_to(np.array((20, 20, 14)), (height, width, 3))
    return Image.fromarray(np.dstack((colour, dark)).astype(np.uint8))


def paste(picture: Image.Image, thing: Image.Image, x: float, y: float) -> None:
    """Put a thing with alpha on the picture, its lower middle at (x, y)."""
    picture.paste(thing, (int(x - thing.width / 2), int(y - thing.height)), thing)


def mixed(base: Any, other: Any, share: Any) -> Field:
    """Return `base` with `share` (0 to 1, one value a pixel) of `other`; colours are the last axis."""
    colour = np.asarray(other, dtype=np.float32)
    result = np.empty(base.shape, dtype=np.float32)
    # One colour after the other: over a last axis of three numpy takes several times as long.
    for band in range(3):
        under = base[..., band]
        result[..., band] = under + (colour[..., band] - under) * share
    return result


def shaded(colour: Any, light: Any) -> Field:
    """Return `colour`, one or one a pixel, times `light` (one value a pixel); colours are the last axis."""
    result = np.empty((*light.shape, 3), dtype=np.float32)
    for band in range(3):
        np.multiply(light, colour[..., band], out=result[..., band], casting="same_kind")
    return result
