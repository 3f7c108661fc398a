"""A camera-like JPEG for tests of routes: a drawn scene with position and time in its Exif."""

from functools import cache

from tests.evidence.material import exif, jpeg, scene


@cache
def camera_jpeg(seed: int = 1) -> bytes:
    return jpeg(scene(seed), exif=exif())
