"""Small things that float or lie about in the drawn photos: bottles, bags, foam, sticks, fish; each drawn once and kept."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
BOTTLES: tuple[Colour, ...] = ((168, 196, 190), (92, 142, 92), (206, 216, 220), (196, 120, 60), (84, 132, 178))
BAGS: tuple[Colour, ...] = (
    (232, 232, 228),
    (206, 62, 56),
    (70, 74, 80),
    (70, 118, 178),
    (226, 190, 74),
    (214, 150, 160),
)
KINDS = ("bottle", "bag", "foam", "stick", "cup", "bag", "bottle", "cloth")
SIZE = 96


@lru_cache(maxsize=400)
def scrap(number: int, kind: str = "") -> Image.Image:
    """Return one scrap with alpha, 96 pixels square, seen obliquely from above; a `kind` is drawn by lot when not given."""
    rng = np.random.default_rng((84, number))
    picture = Image.new("RGBA", (SIZE * 2, SIZE * 2))
    draw = ImageDraw.Draw(picture)
    chosen = kind or KINDS[number % len(KINDS)]
    {"bottle": _bottle, "cup": _bottle, "foam": _foam, "stick": _stick, "fish": _fish}.get(chosen, _bag)(draw, rng)
    turned = picture.rotate(
        float(rng.uniform(-70, 70) if chosen != "fish" else rng.uniform(-35, 35) + 180 * rng.integers(2))
    )
    return turned.resize((SIZE, int(SIZE * 0.62)), Image.Resampling.LANCZOS)


def _tone(colour: Colour, light: float) -> tuple[int, int, int, int]:
    red, green, blue = (int(min(255, max(0, channel * light))) for channel in colour)
    return red, green, blue, 255


def _bottle(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    colour = BOTTLES[int(rng.integers(len(BOTTLES)))]
    draw.rounded_rectangle((30, 72, 140, 116), 16, fill=_tone(colour, 0.72))
    draw.rounded_rectangle((32, 74, 138, 96), 12, fill=_tone(colour, 1.0))
    draw.rectangle((36, 79, 132, 84), fill=_tone(colour, 1.25))
    if rng.random() < 0.7:
        draw.rectangle((62, 73, 104, 115), fill=_tone(BAGS[int(rng.integers(len(BAGS)))], 0.95))
    draw.polygon([(138, 78), (156, 88), (156, 100), (138, 112)], fill=_tone(colour, 0.85))
    draw.rectangle((156, 86, 168, 102), fill=_tone(BAGS[int(rng.integers(1, len(BAGS)))], 1.0))


def _bag(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    colour = BAGS[int(rng.integers(len(BAGS)))]
    for light, shrink in ((0.62, 1.0), (0.88, 0.8), (1.06, 0.5)):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 11))
        radius = rng.uniform(44, 84, 11) * shrink
        ring = [(96 + r * float(np.cos(a)) - (1 - shrink) * 14, 96 + 0.75 * r * float(np.sin(a)) - (1 - shrink) * 16)
                for a, r in zip(angle, radius, strict=True)]  # fmt: skip
        draw.polygon(ring, fill=_tone(colour, light))
    for _ in range(5):
        x, y = rng.uniform(60, 130, 2)
        draw.line(
            (x, y, x + rng.uniform(-26, 26), y + rng.uniform(-16, 16)),
            fill=_tone(colour, float(rng.uniform(0.6, 1.2))),
            width=4,
        )


def _foam(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    white: Colour = (236, 236, 230)
    wide, tall = float(rng.uniform(36, 66)), float(rng.uniform(22, 40))
    front = [(96 - wide, 96), (96 + wide * 0.8, 104), (96 + wide * 0.8, 104 + tall), (96 - wide, 96 + tall)]
    lid = [(96 - wide, 96), (96 - wide * 0.4, 96 - tall), (96 + wide, 100 - tall), (96 + wide * 0.8, 104)]
    draw.polygon(front, fill=_tone(white, 0.76))
    draw.polygon(lid, fill=_tone(white, 1.0))


def _stick(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    brown: Colour = (104, 84, 60)
    bend = float(rng.uniform(-30, 30))
    draw.line([(12, 96), (80, 96 + bend), (180, 90)], fill=_tone(brown, 0.8), width=9, joint="curve")
    draw.line([(80, 96 + bend), (130, 60)], fill=_tone(brown, 1.0), width=5)
    for _ in range(8):
        x, y = rng.uniform(50, 170), rng.uniform(60, 125)
        draw.ellipse((x, y, x + 14, y + 7), fill=_tone((126, 116, 64), float(rng.uniform(0.7, 1.2))))


def _fish(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    silver: Colour = (206, 208, 200)
    draw.polygon([(150, 96), (184, 74), (176, 96), (184, 118)], fill=_tone(silver, 0.62))
    draw.ellipse((18, 66, 160, 126), fill=_tone(silver, 0.55))
    draw.ellipse((20, 66, 158, 112), fill=_tone(silver, 0.92))
    draw.ellipse((34, 70, 142, 94), fill=_tone(silver, float(rng.uniform(1.08, 1.2))))
    draw.polygon([(80, 112), (104, 136), (112, 112)], fill=_tone((176, 146, 120), 0.8))
    draw.ellipse((32, 86, 42, 96), fill=(30, 30, 30, 255))


@lru_cache(maxsize=2000)
def scrap_at(number: int, kind: str, width: int) -> Image.Image:
    """Return a scrap `width` pixels wide."""
    return scrap(number, kind).resize((width, max(2, int(width * 0.62))), Image.Resampling.BILINEAR, reducing_gap=2.0)
