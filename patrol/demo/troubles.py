"""What can be wrong at a river, drawn into a view: stains painted on water and ground, and things that stand there.

Each trouble has up to two hands: one colours the land and water (`Canvas`), one puts things on the enlarged picture.
A scene whose trouble was cured (`after`) keeps what belongs there: the pipe stays, dry; a new board stands upright.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from patrol.demo.litter import scrap_at
from patrol.demo.scenery import HEIGHT, WIDTH, Canvas, Scene
from patrol.demo.structures import draw_board, draw_digger, draw_pipe, draw_revetment, draw_rubble
from patrol.demo.textures import Field, mixed, paste, scaled, shadow

DISCHARGES = ((92, 70, 46), (206, 206, 196), (126, 58, 52), (64, 62, 58), (150, 128, 70), (94, 112, 128))
"""Colours of what comes out of pipes: sewage, slurry, dye, black water, mud, wash water."""

Painter = Callable[[Canvas, np.random.Generator, bool], None]
Drawer = Callable[[Image.Image, Scene, np.random.Generator, bool], None]


def _patches(canvas: Canvas, threshold: float, softness: float, scale: float, number: int = 8) -> Field:
    noise = canvas.ground_noise(1.6, scale, number, stretch=1.7) + 0.3 * canvas.ground_noise(0.9, scale * 4, 9)
    return np.asarray(np.clip((noise - threshold) / softness, 0, 1) * canvas.water, dtype=np.float32)


def _black_water(canvas: Canvas, _rng: np.random.Generator, cured: bool) -> None:
    if cured:
        return
    sheen = canvas.ground_noise(1.5, 70, 8, stretch=2.2)
    share = np.clip(0.8 - 0.06 * sheen - 0.012 * canvas.depth, 0.3, 0.93) * canvas.water
    canvas.below[:] = mixed(canvas.below, (26, 29, 27), share)
    oil = np.clip(np.abs(np.sin(sheen * 3.2)) - 0.9, 0, 0.1) * 3.2 * canvas.water
    canvas.below[:] = mixed(canvas.below, (136, 132, 146), oil)
    scum = _patches(canvas, 1.0, 0.5, 60, 5) * np.clip(1.4 - canvas.to_edge * 2.2, 0, 1)
    canvas.below[:] = mixed(canvas.below, (116, 112, 96), scum * 0.8)


def _algae(canvas: Canvas, rng: np.random.Generator, cured: bool) -> None:
    if cured:
        return
    film = np.clip(0.35 + 0.1 * canvas.ground_noise(1.7, 40, 8), 0, 0.6) * canvas.water
    canvas.below[:] = mixed(canvas.below, (88, 112, 58), film)
    mats = _patches(canvas, float(rng.uniform(-0.5, 0.1)), 0.35, 34)
    grain = 1 + 0.16 * canvas.ground_noise(0.6, 260, 9)
    canvas.below[:] = mixed(canvas.below, np.array((104, 132, 52)) * grain[..., None], mats * 0.88)
    rim = _patches(canvas, 0.9, 0.2, 90, 5)
    canvas.below[:] = mixed(canvas.below, (146, 160, 92), rim * 0.6)


def _outlet(scene: Scene) -> tuple[float, float]:
    depth = 1.75 + (scene.seed % 5) * 0.16
    return float(scene.edge(depth, 1)) + 0.05, depth


def _discharge(canvas: Canvas, rng: np.random.Generator, cured: bool) -> None:
    if cured:
        return
    across, depth = _outlet(canvas.scene)
    colour = np.array(DISCHARGES[int(rng.integers(len(DISCHARGES)))], dtype=np.float32)
    swirl = canvas.ground_noise(1.7, 46, 8)
    below = np.clip(depth - canvas.depth + 0.12, 0, 9)
    reach = np.hypot(
        (canvas.across - across + 0.24 * below + 0.06 * swirl) / (0.22 + 0.42 * below),
        np.clip(canvas.depth - depth, 0, 9) / 0.16,
    )
    plume = np.clip(1.45 - reach + 0.22 * swirl, 0, 1) * canvas.water
    canvas.below[:] = mixed(canvas.below, colour * (1 + 0.1 * swirl[..., None]), np.clip(plume * 1.3, 0, 0.9))
    foam = np.clip(plume + 0.3 * canvas.ground_noise(1.1, 150, 9) - 1.1, 0, 1) * canvas.water
    canvas.below[:] = mixed(canvas.below, (224, 220, 206), np.clip(foam * 1.2, 0, 0.55))


def _turbid(canvas: Canvas, _rng: np.random.Generator, cured: bool) -> None:
    if cured:
        return
    swirl = canvas.ground_noise(1.8, 34, 8)
    share = np.clip(0.62 + 0.16 * swirl - canvas.to_edge * 0.12, 0, 0.9) * canvas.water
    canvas.below[:] = mixed(canvas.below, np.array((168, 140, 96)) * (1 + 0.05 * swirl[..., None]), share)
    stripped = (
        np.clip(1.6 - np.abs(canvas.to_edge + 0.35) * 3 + 0.3 * swirl, 0, 1) * (1 - canvas.water) * (canvas.across > 0)
    )
    earth = np.array((176, 152, 112)) * (1 + 0.12 * canvas.ground_noise(0.7, 240, 9)[..., None])
    canvas.below[:] = mixed(canvas.below, earth, stripped * 0.95)


def _slump(canvas: Canvas, _rng: np.random.Generator, cured: bool) -> None:
    """Paint raw earth where the right bank slid into the water, with a dark scarp behind it."""
    if cured:
        return
    near = 1.75 + 0.2 * np.sin(canvas.scene.seed)
    inland = canvas.across - canvas.scene.edge(canvas.depth, 1)
    rough = canvas.ground_noise(1.6, 60, 8)
    fine = canvas.ground_noise(0.8, 300, 9)
    along = (canvas.depth - near) / 0.8
    bowl = 1 - along**2 - ((inland - 0.1) / 0.5) ** 2 + 0.34 * rough + 0.08 * fine
    share = np.clip(bowl * 7, 0, 1)
    clods = 0.92 + 0.2 * fine + 0.14 * rough + 0.5 * np.clip(0.25 - inland, -0.25, 0.3)
    canvas.below[:] = mixed(canvas.below, np.array((158, 122, 82)) * np.clip(clods, 0.35, 1.4)[..., None], share)
    scarp = np.clip(1 - np.abs(bowl - 0.12) * 7, 0, 1) * np.clip((inland - 0.22) * 8, 0, 1)
    canvas.below[:] = mixed(canvas.below, (66, 48, 32), scarp * 0.85)
    stones = np.clip(canvas.ground_noise(0.9, 120, 5) - 1.3, 0, 0.5) * 2 * share
    canvas.below[:] = mixed(canvas.below, (172, 160, 138), stones)
    muddy = np.clip(1.3 + inland * 1.5 - np.abs(along) * 0.55 + 0.25 * rough, 0, 1) * canvas.water * (1 - share)
    canvas.below[:] = mixed(canvas.below, (152, 124, 86), muddy * 0.75)


def _strewn(picture: Image.Image, scene: Scene, rng: np.random.Generator, kind: str, count: int) -> None:
    """Scatter things on the water in drifts, thickest beside a bank, the far ones first."""
    anchors = [(float(rng.uniform(1.15, 4.5)), float(rng.uniform(0.15, 0.95))) for _ in range(5)]
    places = []
    for _ in range(count):
        depth, share = anchors[int(rng.integers(5))]
        depth = float(np.clip(depth * np.exp(rng.normal(0, 0.22)), 1.03, 9))
        share = float(np.clip(share + rng.normal(0, 0.12), 0.03, 0.97))
        places.append((depth, share))
    for depth, share in sorted(places, reverse=True):
        left, right = float(scene.edge(depth, -1)), float(scene.edge(depth, 1))
        x, y = scene.on_screen(left + (right - left) * share, depth)
        width = int(float(rng.uniform(0.45, 1.25)) * (86 if kind == "fish" else 76) / depth)
        if -60 < x < WIDTH + 60 and width > 3:
            thing = scrap_at(int(rng.integers(48)), kind, width - width % max(1, width // 12))
            if width > 14:
                paste(picture, shadow(thing.width, max(4, thing.height // 3), 70), x, y + thing.height * 0.02)
            paste(picture, thing, x, y)


def _floating(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    if not cured:
        _strewn(picture, scene, rng, "", int(rng.integers(130, 230)))


def _dead_fish(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    if not cured:
        _strewn(picture, scene, rng, "fish", int(rng.integers(36, 80)))


def _weeds(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    """Cover the water with water hyacinth: rosettes in rows, the far ones first."""
    if cured:
        return
    share_covered = float(rng.uniform(0.45, 0.8))
    for depth in np.geomspace(9, 1.0, 44):
        left, right = float(scene.edge(depth, -1)), float(scene.edge(depth, 1))
        for share in rng.uniform(0, 1, 16):
            if share > share_covered + 0.1 * np.sin(depth * 2):
                continue
            x, y = scene.on_screen(right - (right - left) * float(share), float(depth * rng.uniform(0.97, 1.03)))
            if -60 < x < WIDTH + 60:
                height = max(4, int(64 / depth * rng.uniform(0.7, 1.2)))
                paste(picture, scaled("bush", int(rng.integers(4)), height), x, y)


def _heaps(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    """Pile household litter on the right bank, in two or three heaps."""
    if cured:
        return
    for _ in range(int(rng.integers(2, 4))):
        depth = float(rng.uniform(1.35, 2.6))
        across = min(float(scene.edge(depth, 1)) + float(rng.uniform(0.25, 0.5)), depth * 0.92)
        x, y = scene.on_screen(across, depth)
        wide, tall = 380 / depth * float(rng.uniform(0.8, 1.25)), 165 / depth * float(rng.uniform(0.8, 1.2))
        paste(picture, shadow(int(wide * 2.3), int(tall * 0.9), 150), x, y + tall * 0.42)
        for height in np.sort(rng.beta(1, 1.6, 150)):
            spread = (1 - height) ** 0.7 * wide
            size = int(86 / depth * rng.uniform(0.55, 1.25))
            thing = scrap_at(int(rng.integers(48)), "", max(6, size - size % 4))
            paste(picture, thing, x + float(rng.uniform(-1, 1)) * spread, y - height * tall + float(rng.normal(0, 6)))


def _pipe(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    across, depth = _outlet(scene)
    colour = DISCHARGES[int(rng.integers(len(DISCHARGES)))]
    draw_pipe(picture, scene.on_screen(across, depth), HEIGHT / depth * 0.62, colour, dry=cured)


def _mining(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    if not cured:
        depth = 2.5 + (scene.seed % 4) * 0.3
        x, y = scene.on_screen(float(scene.edge(depth, 1)) + 0.55, depth)
        draw_digger(picture, (min(x, WIDTH - 260 / depth), y), HEIGHT / depth, rng)


def _rubble(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    if not cured:
        depth = 1.55 + (scene.seed % 4) * 0.2
        x, y = scene.on_screen(min(float(scene.edge(depth, 1)) + 0.4, depth * 0.8), depth)
        draw_rubble(picture, (x, y), HEIGHT / depth * 0.7, rng)


def _mended_bank(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    if cured:
        near = 1.75 + 0.2 * float(np.sin(scene.seed))
        stations = [float(depth) for depth in np.linspace(near + 0.9, max(1.02, near - 0.9), 16)]
        draw_revetment(picture, [scene.on_screen(float(scene.edge(d, 1)), d) for d in stations], stations, rng)


def _board(picture: Image.Image, scene: Scene, rng: np.random.Generator, cured: bool) -> None:
    depth = 1.55 + (scene.seed % 3) * 0.15
    x, y = scene.on_screen(min(float(scene.edge(depth, 1)) + 0.34, depth * 0.62), depth)
    draw_board(picture, (x, y), HEIGHT / depth * 0.72, rng, broken=not cured)


def _nothing(_canvas: Canvas, _rng: np.random.Generator, _cured: bool) -> None:
    return


def _no_thing(_picture: Image.Image, _scene: Scene, _rng: np.random.Generator, _cured: bool) -> None:
    return


TROUBLES: dict[str, tuple[Painter, Drawer]] = {
    "clean": (_nothing, _no_thing),
    "floating_litter": (_nothing, _floating),
    "black_water": (_black_water, _no_thing),
    "outfall": (_discharge, _pipe),
    "bank_litter": (_nothing, _heaps),
    "sand_mining": (_turbid, _mining),
    "algae": (_algae, _no_thing),
    "water_hyacinth": (_nothing, _weeds),
    "dead_fish": (_nothing, _dead_fish),
    "collapsed_bank": (_slump, _mended_bank),
    "broken_signboard": (_nothing, _board),
    "rubble": (_nothing, _rubble),
}
"""Every kind of photo: who paints its stains and who draws its things."""
