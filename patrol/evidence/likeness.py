"""How much two photos look alike: a perceptual hash that survives resizing and compression.

The method is the DCT hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), in
the widespread form with 32 × 32 grey values and the 8 × 8 lowest frequencies. It finds copies, not look-alike places:
two photos of one bank from different spots are far apart.
"""

import numpy as np
from PIL import Image

_SIDE, _KEPT = 32, 8
_WAVES = np.cos(np.pi / _SIDE * (np.arange(_SIDE) + 0.5) * np.arange(_KEPT)[:, np.newaxis])


def perceptual_hash(image: Image.Image) -> str:
    """Return the 64-bit hash of an already reduced image (any mode that turns into grey) as 16 hexadecimal digits."""
    grey = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float64)
    # Rounding keeps the last digits of the arithmetic from deciding the bits of a picture of one colour.
    strengths = np.round(_WAVES @ grey @ _WAVES.T, 3).ravel()
    bits = strengths > np.median(strengths)
    return np.packbits(bits).tobytes().hex()


def distance(first: str, second: str) -> int:
    """Return in how many of 64 bits two hashes differ: up to about 6 the same photo, around 32 unrelated ones."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


_DETAIL_SIDE = 96
# Of 255: the means and the spreads of grey below which a picture shows nothing that a person could judge.
_DARK, _FLAT = 10.0, 4.0


def grey_of(image: Image.Image) -> np.ndarray:
    """Return an image's grey values (0..255) averaged to 96 × 96, as floats: what `difference` and `shows_nothing` look at."""
    return np.asarray(image.convert("L").resize((_DETAIL_SIDE, _DETAIL_SIDE), Image.Resampling.BOX), dtype=np.float64)


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest difference between two pictures' grey anywhere, each in units of its own spread.

    So exposure does not count, and a cure does, however small a part of the picture it is. Copies saved anew, rescaled or
    brightened differ by less than a half, other photos from the same spot by about one and more.
    """
    one, other = ((grey - grey.mean()) / (grey.std() + 1.0) for grey in (first, second))
    return float(np.abs(one - other).max())


def shows_nothing(grey: np.ndarray) -> bool:
    """Tell whether a picture is black, or of one colour all over."""
    return bool(grey.mean() < _DARK or grey.std() < _FLAT)


# Hashes that differ in at most four bits agree in at least one of five parts: an index of the parts finds them all.
FOUND_BITS, _PARTS = 4, (13, 13, 13, 13, 12)
# Half of the 64 bits are set where a picture shows anything.
_PLAIN_BITS = 8


def bands_of(likeness: str) -> list[int]:
    """Return five numbers for a hash: two hashes at most `FOUND_BITS` bits apart have one of them in common.

    A picture of one colour has none: it would look like every other one.
    """
    rest, found = int(likeness, 16), []
    if rest.bit_count() <= _PLAIN_BITS:
        return []
    for number, width in enumerate(_PARTS):
        found.append((number << 13) + (rest & ((1 << width) - 1)))
        rest >>= width
    return found
