"""A river-side view for the drawn photos: sky, hills, water in perspective, banks and plants, from a scene's seed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from patrol.demo.textures import Field, fractal, mirrored, mixed, paste, sample, scaled, shaded, shadow

WIDTH, HEIGHT = 1304, 978
W, H = WIDTH // 2, HEIGHT // 2
"""A margin of 12 and 9 pixels all around is left for the hand of who takes the photo.

The land and the water are painted at half size, where one operation costs a millisecond, and then enlarged."""

SKIES = (
    ((112, 152, 205), (214, 226, 234), (1.0, 0.99, 0.95), 0.5),
    ((150, 170, 192), (222, 226, 226), (0.95, 0.97, 1.0), 0.9),
    ((176, 184, 190), (226, 228, 226), (0.93, 0.95, 0.97), 1.0),
    ((122, 140, 178), (240, 214, 178), (1.06, 0.97, 0.84), 0.6),
    ((92, 142, 206), (200, 220, 238), (1.05, 1.02, 0.95), 0.25),
)
"""Colour at the zenith, colour at the horizon, tint of the light, how much cloud: fair, cloudy, overcast, evening, clear."""
WATERS = ((84, 104, 86), (72, 98, 96), (98, 108, 84), (66, 92, 78), (104, 112, 96))
GRASSES = ((104, 118, 62), (120, 122, 70), (88, 110, 58), (132, 126, 80))
STRANDS = ((148, 138, 118), (122, 108, 86), (156, 152, 142), (110, 98, 78))


@dataclass(frozen=True)
class Scene:
    """Where one stands: the picture's geometry. A point of the ground has `across` (left to right) and `depth` (1 near)."""

    seed: int
    horizon: float
    middle: float
    half_width: float
    bend: float
    phase: float

    def edge(self, depth: Any, side: int) -> Any:
        """Return where the water ends at this depth; `side` is -1 left, 1 right."""
        return self.middle + self.bend * (depth - 1) * np.sin(0.16 * depth + self.phase) + side * self.half_width

    def on_screen(self, across: float, depth: float) -> tuple[float, float]:
        """Return the pixel of the full picture where a point of the ground is seen."""
        x = WIDTH * (across / (2 * depth) + 0.5)
        return x, HEIGHT * (self.horizon + (1 - self.horizon) / depth)


@dataclass
class Canvas:
    """The half-size picture while it is painted: colours `(H, W, 3)`, and what each pixel below the horizon is.

    `depth` is one column, since it is the same along a row; the other fields have a value for each pixel.
    """

    scene: Scene
    rgb: Field
    top: int
    across: Field
    depth: Field
    water: Field
    to_edge: Field

    @property
    def below(self) -> Field:
        """The part of the colours below the horizon, to be painted on."""
        return self.rgb[self.top :]

    def ground_noise(self, roughness: float, scale: float, number: int = 0, stretch: float = 1.0) -> Field:
        """Return noise that lies on the ground and shrinks with distance; `scale` in tile pixels a ground unit."""
        shift = np.float32(self.scene.seed * 37 % 1009)
        return sample(fractal(roughness, number), self.across * scale + shift, self.depth * scale * stretch)


def scene_of(seed: int) -> Scene:
    """Return the view that belongs to a seed."""
    rng = np.random.default_rng((81, seed))
    middle = float(rng.uniform(-0.62, -0.18))
    return Scene(seed, float(rng.uniform(0.34, 0.47)), middle, float(rng.uniform(0.55, 1.05)),
                 float(rng.uniform(0.05, 0.3) * rng.choice((-1, 1))), float(rng.uniform(0, 6.28)))  # fmt: skip


def painted(scene: Scene, light: int) -> Canvas:
    """Return the view without any trouble, in the light that number `light` stands for."""
    rng = np.random.default_rng((82, scene.seed))
    sky = SKIES[light % len(SKIES)]
    rgb = np.empty((H, W, 3), dtype=np.float32)
    top = int(scene.horizon * H)
    rgb[: top + 1] = _sky(top + 1, sky, rng)
    _hills(rgb, top, sky, rng)
    y = np.arange(top, H, dtype=np.float32)[:, None]
    depth: Field = np.clip((H - top) / (y - top + 0.7), 1.0, 70.0).astype(np.float32)
    across: Field = np.asarray((np.arange(W, dtype=np.float32)[None, :] / W - 0.5) * 2 * depth, dtype=np.float32)
    wobble = sample(fractal(1.6), across * 60 + scene.seed, depth * 60)
    left, right = scene.edge(depth, -1), scene.edge(depth, 1)
    to_edge = np.minimum(across - left, right - across) + 0.035 * wobble
    water = np.clip(to_edge * 22 / depth**0.7 + 0.5, 0, 1)
    canvas = Canvas(scene, rgb, top, across, depth, water, to_edge)
    _ground(canvas, sky, rng)
    _water(canvas, sky, rng, light)
    return canvas


def _sky(rows: int, sky: Any, rng: np.random.Generator) -> Field:
    share = (np.linspace(0, 1, rows, dtype=np.float32) ** 0.8)[:, None, None]
    base = np.array(sky[0], dtype=np.float32) * (1 - share) + np.array(sky[1], dtype=np.float32) * share
    stretch = np.linspace(1.0, 2.6, rows, dtype=np.float32)[:, None]
    columns = np.arange(W, dtype=np.float32)[None, :] * 0.55 + rng.integers(0, 900)
    clouds = sample(
        fractal(1.9), columns * np.ones_like(stretch), np.cumsum(stretch, axis=0) * 0.9 + rng.integers(0, 900)
    )
    cover = np.clip((clouds + sky[3] * 1.7 - 0.55) * 0.6, 0, 1) * 0.85
    white = shaded(np.array((0.98, 0.985, 1.0), dtype=np.float32), np.clip(228 + 15 * clouds, 0, 252))
    return mixed(np.broadcast_to(base, (rows, W, 3)), white, cover)


def _hills(rgb: Field, top: int, sky: Any, rng: np.random.Generator) -> None:
    """Paint three ridges and a line of trees before the sky, the farther the paler."""
    columns = np.arange(W)
    profile, fine = fractal(1.9, 2), fractal(1.0, 3)
    for layer, (rise, haze, rough) in enumerate(
        ((0.36, 0.72, 0.03), (0.25, 0.5, 0.06), (0.15, 0.28, 0.1), (0.07, 0.06, 0.5))
    ):
        row, shift = int(rng.integers(0, 1000)), int(rng.integers(0, 1000))
        ridge = (
            profile[row, (columns // (1 + (layer < 2)) + shift) % 1024] * 0.26
            + fine[row, (columns + shift) % 1024] * rough * 0.35
        )
        height = np.clip(top * rise * (1 + ridge * rng.uniform(0.7, 1.5)), 3, top * 0.9)
        first = top - int(height.max()) - 1
        rows = np.arange(max(first, 0), top + 1)[:, None]
        inside = np.clip(rows - (top - height)[None, :] + 0.5, 0, 1).astype(np.float32)
        texture = fine[
            (rows * (2 if layer == 3 else 1) + row) % 1024, (columns[None, :] * (2 if layer == 3 else 1) + shift) % 1024
        ]
        clump = profile[(rows * 6 + row) % 1024, (columns[None, :] * 3 + shift) % 1024]
        green = np.array((70, 92, 58), dtype=np.float32) * rng.uniform(0.85, 1.1)
        shade = np.clip(0.86 + 0.16 * texture + 0.12 * clump, 0.3, 1.5) * np.float32(1 - haze)
        colour = shaded(green, shade) + np.array(sky[1], dtype=np.float32) * np.array((0.8, 0.88, 0.94), dtype=np.float32) * haze
        rgb[max(first, 0) : top + 1] = mixed(rgb[max(first, 0) : top + 1], colour, inside)


def _ground(canvas: Canvas, sky: Any, rng: np.random.Generator) -> None:
    grass = np.array(GRASSES[int(rng.integers(len(GRASSES)))], dtype=np.float32)
    strand = np.array(STRANDS[int(rng.integers(len(STRANDS)))], dtype=np.float32)
    coarse, fine = canvas.ground_noise(1.7, 46), canvas.ground_noise(0.75, 330, 1)
    fade = 1 / (1 + 0.05 * canvas.depth)
    shade = 0.92 + 0.13 * coarse + 0.24 * fine * fade
    rgb = shaded(grass, shade)
    dry = np.clip(coarse * 0.6 + 0.2 * canvas.ground_noise(1.5, 190, 4), 0, 0.7)
    rgb = mixed(rgb, (150, 136, 92), dry * 0.6)
    beach = np.clip(1 + canvas.to_edge / float(rng.uniform(0.1, 0.26)) + 0.35 * coarse, 0, 1)
    wet = np.clip(1 + canvas.to_edge * 22, 0, 1) * 0.38
    stones = shaded(strand, (0.95 + 0.12 * fine + 0.14 * canvas.ground_noise(0.3, 120, 5) * fade) * (1 - wet))
    rgb = mixed(rgb, stones, np.clip(beach * 1.4, 0, 1))
    haze = np.clip((canvas.depth - 6) / 60, 0, 0.4)
    canvas.below[:] = mixed(rgb, np.array(sky[1]) * 0.82, haze)


def _water(canvas: Canvas, sky: Any, rng: np.random.Generator, light: int) -> None:
    """Lay water over the ground: its own colour near, the mirrored land and sky far, broken by ripples."""
    top, rows = canvas.top, H - canvas.top
    own = np.array(WATERS[int(rng.integers(len(WATERS)))], dtype=np.float32)
    shift = 13.0 * (light % 7)
    ripple = sample(fractal(1.25, 6), canvas.across * 64 + shift, canvas.depth * 210 + shift)
    fine = sample(fractal(0.8, 7), canvas.across * 170, canvas.depth * 420 + shift)
    wave = ripple * 0.75 + fine * 0.3
    distance = np.arange(rows, dtype=np.float32)[:, None] * (top / rows) * 0.92
    source = np.clip(top - 2 - distance - np.abs(wave) * (1.5 + distance * 0.09), 0, top - 1).astype(np.int32)
    column = np.clip(np.arange(W)[None, :] + wave * 1.6, 0, W - 1).astype(np.int32)
    mirrored = canvas.rgb[source, column]
    fresnel = np.clip(0.86 - 0.5 / canvas.depth**0.8, 0.3, 0.9) + 0.07 * wave
    body = shaded(own, 1.0 + 0.07 * wave + 0.05 * fine)
    surface = mixed(body, mirrored * 0.94, np.clip(fresnel, 0.1, 0.95))
    near_bank = np.clip(1 - canvas.to_edge * 4, 0, 1) * 0.35
    surface = mixed(surface, own * 0.55, near_bank)
    glint = np.clip(fine * 0.7 + wave - 2.0, 0, 1) * 42 * (canvas.depth > 1.4)
    surface += shaded(np.array(sky[2], dtype=np.float32), glint)
    canvas.below[:] = mixed(canvas.below, surface, canvas.water)


def planted(picture: Image.Image, scene: Scene) -> None:
    """Stand trees, bushes and reeds on both banks, the far ones first; those beside the water are mirrored in it."""
    rng = np.random.default_rng((83, scene.seed))
    if rng.random() < 0.6:
        _settled(picture, scene, rng)
    kinds = ("bush", "reeds", "tree", "dry", "bush", "tree")
    favourite = kinds[int(rng.integers(len(kinds)))]
    for depth in np.geomspace(16, 1.25, 26) * rng.uniform(0.92, 1.08, 26):
        for side in (-1, 1):
            if rng.random() < (0.2 if side == -1 else 0.42 + 0.3 * (depth < 3)):
                continue
            kind = favourite if rng.random() < 0.5 else kinds[int(rng.integers(len(kinds)))]
            if depth < 2.2 and kind == "tree":
                kind = "reeds"
            tall = {"tree": 0.85, "bush": 0.3, "reeds": 0.3, "dry": 0.26}[kind] * rng.uniform(0.7, 1.2)
            away = rng.uniform(0.05, 0.2) if kind in ("reeds", "dry", "bush") else rng.uniform(0.3, 1.3)
            x, y = scene.on_screen(float(scene.edge(depth, side)) + side * away * (1 + 0.12 * depth), float(depth))
            if -120 < x < WIDTH + 120:
                height = int(min(max(tall * HEIGHT / depth, 10), 430))
                number = int(rng.integers(4))
                plant = scaled(kind, number, height)
                if side == -1 and plant.height <= 220:
                    _mirror(picture, mirrored(kind, number, height), x, y, scene)
                if kind in ("tree", "bush"):
                    shade = shadow(plant.width + 8, max(8, plant.height // 5))
                    paste(picture, shade, x, y + height * 0.13)
                paste(picture, plant, x, y + height * 0.04)


def _settled(picture: Image.Image, scene: Scene, rng: np.random.Generator) -> None:
    """Put a hamlet of whitewashed houses under dark roofs somewhere behind the banks."""
    draw = ImageDraw.Draw(picture)
    side = int(rng.choice((-1, 1)))
    for depth in sorted(rng.uniform(9, 17, int(rng.integers(3, 8))), reverse=True):
        across = float(scene.edge(depth, side)) + side * float(rng.uniform(1.5, 9.0))
        x, y = scene.on_screen(across, float(depth))
        wide, tall, roof = (
            float(rng.uniform(a, b)) * HEIGHT / depth for a, b in ((0.8, 1.3), (0.5, 0.85), (0.16, 0.25))
        )
        white = int(rng.integers(196, 232))
        shade = int(white * 0.8)
        draw.rectangle((x, y - tall, x + wide, y), fill=(white, white, white - 6))
        draw.rectangle((x + wide * 0.72, y - tall, x + wide, y), fill=(shade, shade, shade - 2))
        eaves = [(x - wide * 0.06, y - tall), (x + wide * 1.06, y - tall), (x + wide * 0.94, y - tall - roof)]
        draw.polygon(
            [*eaves, (x + wide * 0.06, y - tall - roof)], fill=(74, 76, 82) if rng.random() < 0.8 else (138, 84, 66)
        )
        for floor in range(1 + (tall > wide * 0.6)):
            for window in range(3):
                left, upper = x + wide * (0.1 + 0.21 * window), y - tall * (0.86 - 0.45 * floor)
                draw.rectangle((left, upper, left + wide * 0.1, upper + tall * 0.2), fill=(82, 92, 104))


def _mirror(picture: Image.Image, plant: tuple[Image.Image, Image.Image], x: float, y: float, scene: Scene) -> None:
    image, faint = plant
    depth = (1 - scene.horizon) * HEIGHT / max(y - scene.horizon * HEIGHT, 1)
    shift = 0.1 * WIDTH / depth / 2
    picture.paste(image, (int(x - image.width / 2 + shift), int(y)), faint)
