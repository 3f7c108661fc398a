import io
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from patrol.evidence.likeness import FOUND_BITS, bands_of, difference, distance, grey_of, perceptual_hash, shows_nothing
from tests.evidence import material

SCENES = [material.scene(seed) for seed in range(12)]


def test_distance_counts_differing_bits():
    assert distance("0000000000000000", "ffffffffffffffff") == 64
    assert distance("00000000000000ff", "00000000000000fe") == 1


@pytest.mark.parametrize("seed", range(12))
def test_a_copy_stays_near(seed):
    image = SCENES[seed]
    original = perceptual_hash(image)
    small = perceptual_hash(image.resize((320, 240)))
    odd = perceptual_hash(image.resize((211, 158), Image.Resampling.BICUBIC))
    poor = perceptual_hash(Image.open(io.BytesIO(material.saved(image, "JPEG", quality=30))))
    bright = perceptual_hash(ImageEnhance.Brightness(image).enhance(1.1))
    assert max(distance(original, other) for other in (small, odd, poor, bright)) <= 6


def thumb(image, quality=80):
    copy = image.copy()
    copy.thumbnail((320, 320))
    return grey_of(Image.open(io.BytesIO(material.saved(copy, "JPEG", quality=quality))))


@pytest.mark.parametrize("seed", range(0, 12, 3))
def test_a_copy_differs_nowhere_and_a_cure_somewhere(seed):
    image = SCENES[seed]
    cured = image.copy()
    cured.paste((0, 0, 0), (300, 220, 312, 232))
    cured.paste((255, 255, 255), (312, 220, 324, 232))
    copies = [thumb(image, 30), thumb(image.resize((320, 240))), thumb(ImageEnhance.Brightness(image).enhance(1.1))]
    assert max(difference(thumb(image), copy) for copy in copies) < 0.6
    assert difference(thumb(image), thumb(cured)) > 0.9


def test_what_shows_nothing():
    night = Image.effect_noise((640, 480), 4).point(lambda value: max(0, value - 126))
    assert shows_nothing(grey_of(night))
    assert shows_nothing(grey_of(Image.new("RGB", (640, 480), (250, 250, 250))))
    assert not any(shows_nothing(grey_of(image)) for image in SCENES)


def test_different_scenes_are_far_apart():
    assert min(distance(perceptual_hash(a), perceptual_hash(b)) for a, b in combinations(SCENES, 2)) >= 12


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK"])
def test_the_mode_hardly_matters(mode):
    assert distance(perceptual_hash(SCENES[0]), perceptual_hash(SCENES[0].convert(mode))) <= 2


def test_pictures_of_one_colour_are_all_alike():
    hashes = {perceptual_hash(Image.new("L", (320, 240), grey)) for grey in (1, 77, 128, 254)}
    assert len(hashes) == 1


def test_pictures_of_one_colour_have_no_bands():
    assert bands_of(perceptual_hash(Image.new("L", (320, 240), 77))) == []


@given(st.integers(0, 2**64 - 1).filter(lambda bits: 20 <= bits.bit_count() <= 44), st.sets(st.integers(0, 63), max_size=FOUND_BITS))
def test_hashes_that_differ_in_few_bits_have_a_band_in_common(bits, flipped):
    other = bits ^ sum(1 << bit for bit in flipped)
    one, another = bands_of(f"{bits:016x}"), bands_of(f"{other:016x}")
    assert len(set(one)) == 5
    assert set(one) & set(another)


def test_the_hash_is_that_of_the_cosine_transform():
    y, x = np.mgrid[0:32, 0:32]
    wave = 128 + 100 * np.cos(np.pi / 32 * (x + 0.5) * 3) * np.cos(np.pi / 32 * (y + 0.5) * 2)
    bits = int(perceptual_hash(Image.fromarray(wave.astype(np.uint8))), 16)
    assert bits >> (63 - (2 * 8 + 3)) & 1
    assert bits >> 63 & 1
    assert len(perceptual_hash(SCENES[0])) == 16
