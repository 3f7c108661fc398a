"""Built things in the drawn photos: an outfall, an excavator, a signboard, rubble, a stone revetment."""

import itertools
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from patrol.demo.textures import fractal, paste, shadow

Point = tuple[float, float]
Colour = tuple[int, int, int]
OVERSIZE = 2


class _Easel:
    """A transparent sheet at twice the size, so that edges come out smooth; units are shares of `unit` pixels."""

    def __init__(self, unit: float, wide: float, tall: float) -> None:
        self.unit, self.wide, self.tall = unit * OVERSIZE, wide, tall
        self.sheet = Image.new("RGBA", (max(2, int(wide * self.unit)), max(2, int(tall * self.unit))))
        self.draw = ImageDraw.Draw(self.sheet)

    def shape(self, points: list[Point], colour: Colour, alpha: int = 255) -> None:
        self.draw.polygon([(x * self.unit, y * self.unit) for x, y in points], fill=(*colour, alpha))

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: int = 255) -> None:
        box = ((x - rx) * self.unit, (y - ry) * self.unit, (x + rx) * self.unit, (y + ry) * self.unit)
        self.draw.ellipse(box, fill=(*colour, alpha))

    def line(self, points: list[Point], colour: Colour, width: float) -> None:
        scaled_points = [(x * self.unit, y * self.unit) for x, y in points]
        self.draw.line(scaled_points, fill=(*colour, 255), width=max(1, int(width * self.unit)), joint="curve")

    def finished(self, turn_deg: float = 0.0) -> Image.Image:
        sheet = self.sheet.rotate(turn_deg, Image.Resampling.NEAREST) if turn_deg else self.sheet
        return _weathered(sheet.reduce(OVERSIZE))


def _weathered(thing: Image.Image) -> Image.Image:
    """Return the thing with stains and grain, lit from above: flat colour looks cut out of paper."""
    rows, columns = np.arange(thing.height)[:, None] & 1023, np.arange(thing.width)[None, :] & 1023
    stain = fractal(1.5, 2)[rows, columns] * 0.09 + fractal(0.7, 1)[rows, columns] * 0.08
    light = np.linspace(1.06, 0.82, thing.height)[:, None]
    pixels = np.asarray(thing).astype(np.float32)
    pixels[..., :3] = np.clip(pixels[..., :3] * (light + stain)[..., None], 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


def draw_pipe(picture: Image.Image, place: Point, unit: float, colour: Colour, *, dry: bool) -> None:
    """Draw a concrete headwall with a pipe; water of `colour` pours from it unless it is `dry` (then a cap closes it)."""
    easel = _Easel(unit, 0.62, 0.56)
    easel.shape([(0.08, 0.08), (0.54, 0.06), (0.58, 0.46), (0.06, 0.5)], (150, 148, 140))
    easel.shape([(0.08, 0.08), (0.54, 0.06), (0.56, 0.02), (0.11, 0.03)], (182, 180, 172))
    for x in (0.13, 0.47, 0.52):
        easel.line([(x, 0.09), (x + 0.004, 0.3)], (126, 124, 114), 0.012)
    easel.shape([(0.07, 0.4), (0.575, 0.37), (0.58, 0.46), (0.06, 0.5)], (112, 112, 92))
    easel.disc(0.3, 0.22, 0.13, 0.13, (196, 194, 186))
    easel.disc(0.3, 0.22, 0.105, 0.105, (24, 24, 22))
    if dry:
        easel.disc(0.3, 0.22, 0.108, 0.108, (122, 124, 126))
        easel.line([(0.21, 0.22), (0.39, 0.22)], (92, 94, 96), 0.014)
        easel.line([(0.3, 0.13), (0.3, 0.31)], (92, 94, 96), 0.014)
        easel.shape([(0.43, 0.12), (0.52, 0.12), (0.52, 0.19), (0.43, 0.19)], (36, 92, 160))
        easel.shape([(0.445, 0.14), (0.505, 0.14), (0.505, 0.15), (0.445, 0.15)], (232, 236, 240))
    else:
        light: Colour = tuple(min(255, int(c * 1.3) + 18) for c in colour)  # type: ignore[assignment]
        easel.shape([(0.2, 0.25), (0.4, 0.25), (0.37, 0.36), (0.36, 0.54), (0.14, 0.54), (0.17, 0.36)], colour, 240)
        for shift in (0.2, 0.25, 0.31):
            easel.line([(shift, 0.27), (shift - 0.02, 0.38), (shift - 0.03, 0.53)], light, 0.012)
    thing = easel.finished()
    paste(picture, shadow(thing.width, thing.height // 4, 120), place[0], place[1] + thing.height * 0.14)
    paste(picture, thing, place[0], place[1] + thing.height * 0.08)
    if not dry:
        splash = Image.new("RGBA", (int(unit * 0.5), int(unit * 0.1)))
        ImageDraw.Draw(splash).ellipse((0, 0, splash.width - 1, splash.height - 1), fill=(226, 222, 210, 150))
        soft = splash.filter(ImageFilter.GaussianBlur(unit * 0.012))
        paste(picture, soft, place[0] - unit * 0.05, place[1] + thing.height * 0.13)


def draw_digger(picture: Image.Image, place: Point, unit: float, rng: np.random.Generator) -> None:
    """Draw an excavator at work beside its heap of sand, boom towards the water."""
    yellow: Colour = (218, 164, 42) if rng.random() < 0.7 else (206, 96, 44)
    dark: Colour = (46, 44, 42)
    easel = _Easel(unit, 1.5, 1.0)
    _heap(easel, rng)
    easel.shape([(0.78, 0.84), (1.38, 0.84), (1.43, 0.9), (1.38, 0.97), (0.78, 0.97), (0.73, 0.9)], dark)
    for wheel in range(6):
        easel.disc(0.81 + wheel * 0.107, 0.905, 0.038, 0.038, (92, 88, 82))
    easel.shape([(0.86, 0.78), (1.3, 0.78), (1.3, 0.84), (0.86, 0.84)], (70, 66, 60))
    easel.shape([(0.82, 0.62), (1.4, 0.6), (1.43, 0.78), (0.82, 0.79)], yellow)
    easel.shape([(0.82, 0.72), (1.42, 0.72), (1.43, 0.78), (0.82, 0.79)], tuple(int(c * 0.7) for c in yellow))  # type: ignore[arg-type]
    easel.shape([(0.82, 0.4), (1.03, 0.38), (1.05, 0.64), (0.82, 0.65)], yellow)
    easel.shape([(0.845, 0.43), (1.01, 0.41), (1.02, 0.58), (0.845, 0.59)], (74, 96, 110))
    easel.line([(0.9, 0.68), (0.66, 0.2), (0.5, 0.16)], tuple(int(c * 0.92) for c in yellow), 0.075)  # type: ignore[arg-type]
    easel.line([(0.53, 0.14), (0.3, 0.52)], yellow, 0.055)
    easel.line([(0.86, 0.58), (0.68, 0.3)], (150, 150, 150), 0.022)
    easel.shape([(0.32, 0.48), (0.24, 0.5), (0.16, 0.62), (0.22, 0.7), (0.36, 0.64), (0.37, 0.53)], (72, 66, 58))
    easel.shape([(0.17, 0.62), (0.24, 0.56), (0.35, 0.58), (0.33, 0.64), (0.23, 0.69)], (176, 152, 110))
    thing = easel.finished()
    paste(picture, shadow(thing.width, thing.height // 4, 150), place[0], place[1] + thing.height * 0.1)
    paste(picture, thing, place[0], place[1])


def _heap(easel: _Easel, rng: np.random.Generator) -> None:
    """Pour a heap of sand to the left: grains by the hundred, lighter on the lit side."""
    for height in np.sort(rng.beta(1, 1.4, 700)):
        spread = (1 - float(height)) ** 0.85 * 0.3
        x = 0.31 + float(rng.uniform(-1, 1)) * spread
        y, size = 0.97 - float(height) * 0.3, float(rng.uniform(0.008, 0.03))
        light = 1.05 - 0.5 * (x - 0.31) + float(rng.normal(0, 0.05))
        easel.disc(x, y, size, size * 0.6, (int(176 * light), int(150 * light), int(110 * light)))


def draw_board(picture: Image.Image, place: Point, unit: float, rng: np.random.Generator, *, broken: bool) -> None:
    """Draw a river chief information board; a `broken` one leans, is rusty, and has lost part of its sheet."""
    easel = _Easel(unit, 1.0, 1.0)
    post: Colour = (128, 104, 84) if broken else (164, 168, 172)
    for x in (0.26, 0.72):
        easel.shape([(x, 0.3), (x + 0.03, 0.3), (x + 0.03, 0.99), (x, 0.99)], post)
    blue: Colour = (96, 128, 152) if broken else (28, 92, 168)
    easel.shape([(0.14, 0.16), (0.87, 0.16), (0.87, 0.68), (0.14, 0.68)], post)
    easel.shape([(0.155, 0.175), (0.855, 0.175), (0.855, 0.665), (0.155, 0.665)], blue)
    _letters(easel, rng, faded=broken)
    if broken:
        easel.shape([(0.62, 0.175), (0.855, 0.175), (0.855, 0.5), (0.74, 0.44), (0.7, 0.3)], (120, 92, 70))
        easel.shape([(0.62, 0.175), (0.7, 0.3), (0.74, 0.44), (0.66, 0.42), (0.58, 0.28)], (196, 198, 194))
        for _ in range(26):
            x, y = float(rng.uniform(0.16, 0.84)), float(rng.uniform(0.18, 0.65))
            easel.disc(x, y, float(rng.uniform(0.004, 0.022)), float(rng.uniform(0.004, 0.03)), (122, 78, 50), 170)
    lean = float(rng.choice((-1, 1)) * rng.uniform(13, 24)) if broken else float(rng.uniform(-1, 1))
    thing = easel.finished(lean)
    paste(picture, shadow(thing.width, thing.height // 8, 120), place[0], place[1] + thing.height * 0.05)
    paste(picture, thing, place[0], place[1] + (thing.height * 0.06 if broken else 0))


def _letters(easel: _Easel, rng: np.random.Generator, *, faded: bool) -> None:
    """Write what looks like text from a few metres away: rows of small strokes, a heading, and a code in the corner."""
    ink: Colour = (186, 196, 200) if faded else (240, 244, 248)
    for column in range(7):
        x = 0.27 + column * 0.07
        _glyph(easel, x, 0.2, 0.05, ink, rng)
    for row in range(7):
        for column in range(int(rng.integers(13, 18))):
            _glyph(easel, 0.19 + column * 0.027, 0.29 + row * 0.05, 0.02, ink, rng)
    easel.shape([(0.71, 0.52), (0.83, 0.52), (0.83, 0.64), (0.71, 0.64)], ink)
    for _ in range(44):
        x, y = 0.715 + 0.011 * int(rng.integers(10)), 0.525 + 0.011 * int(rng.integers(10))
        easel.shape([(x, y), (x + 0.011, y), (x + 0.011, y + 0.011), (x, y + 0.011)], (30, 34, 38))


def _glyph(easel: _Easel, x: float, y: float, size: float, ink: Colour, rng: np.random.Generator) -> None:
    for _ in range(3):
        shift = float(rng.uniform(0, size))
        easel.line([(x, y + shift), (x + size, y + shift)], ink, size * 0.13)
    middle = x + size * float(rng.uniform(0.25, 0.75))
    easel.line([(middle, y), (middle, y + size)], ink, size * 0.13)


def draw_rubble(picture: Image.Image, place: Point, unit: float, rng: np.random.Generator) -> None:
    """Draw a heap of building waste: broken brick, concrete and tiles."""
    easel = _Easel(unit, 1.5, 0.62)
    colours: tuple[Colour, ...] = ((150, 146, 140), (166, 92, 70), (128, 124, 118), (186, 180, 168), (142, 78, 60))
    for height in np.sort(rng.beta(1, 1.5, 420)):
        x = 0.75 + float(rng.uniform(-1, 1)) * (1 - height) ** 0.75 * 0.68
        y = 0.56 - height * 0.42 + float(rng.normal(0, 0.012))
        size, turn = float(rng.uniform(0.018, 0.055)), float(rng.uniform(0, 3.14))
        colour = colours[int(rng.integers(len(colours)))]
        corners = [
            (x + size * math.cos(turn + a) * 1.2, y + size * math.sin(turn + a) * 0.8) for a in (0, 1.3, 3.14, 4.5)
        ]
        easel.shape([(cx + 0.008, cy + 0.014) for cx, cy in corners], (58, 52, 46), 190)
        light = float(rng.uniform(0.75, 1.12))
        easel.shape(corners, tuple(int(min(255, c * light)) for c in colour))  # type: ignore[arg-type]
    thing = easel.finished()
    paste(picture, shadow(thing.width, thing.height // 3, 140), place[0], place[1] + thing.height * 0.12)
    paste(picture, thing, place[0], place[1])


def draw_revetment(picture: Image.Image, waterline: list[Point], depths: list[float], rng: np.random.Generator) -> None:
    """Draw a new wall of grey stones along the waterline, higher in the picture where it is nearer."""
    draw = ImageDraw.Draw(picture)
    for (a, b), depth in zip(itertools.pairwise(waterline), depths, strict=False):
        tall_a, tall_b = 0.14 * 960 / depth, 0.14 * 960 / depth
        draw.polygon(
            [a, b, (b[0] + tall_b * 0.5, b[1] - tall_b), (a[0] + tall_a * 0.5, a[1] - tall_a)], fill=(146, 144, 138)
        )
        for course in range(4):
            for _ in range(3):
                share, rise = float(rng.uniform(0, 1)), (course + 0.1) / 4
                x, y = a[0] + (b[0] - a[0]) * share + tall_a * 0.5 * rise, a[1] + (b[1] - a[1]) * share - tall_a * rise
                size = tall_a * 0.2
                grey = int(rng.integers(118, 178))
                draw.ellipse(
                    (x - size, y - size, x + size, y + size * 0.5),
                    fill=(grey, grey - 2, grey - 8),
                    outline=(96, 94, 88),
                )
        top_a, top_b = (a[0] + tall_a * 0.5, a[1] - tall_a), (b[0] + tall_b * 0.5, b[1] - tall_b)
        draw.line([top_a, top_b], fill=(188, 186, 178), width=max(2, int(tall_a * 0.12)))
