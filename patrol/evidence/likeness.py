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
