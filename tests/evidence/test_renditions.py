import io
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from patrol.evidence import renditions
from patrol.evidence.intake import opened
from patrol.evidence.likeness import distance
from patrol.evidence.renditions import BrokenImage, derive
from patrol.evidence.structure import outline_of
from tests.evidence import material

WHOLE = material.whole_photos()


def drawn(data: bytes, size: str = "thumb") -> Image.Image:
    return Image.open(io.BytesIO(derive(data).sizes[size])).convert("RGB")


def colours(image: Image.Image) -> list[str]:
    """The colours of the four quarters, left to right, top to bottom."""
    width, height = image.size
    names = {(255, 0, 0): "red", (0, 255, 0): "green", (0, 0, 255): "blue", (255, 255, 255): "white"}
    points = [image.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]
    return [min(names.items(), key=lambda entry: sum(abs(a - b) for a, b in zip(entry[0], point, strict=True)))[1]
            for point in points]


@pytest.mark.parametrize(("size", "screen", "thumb"), [
    ((4000, 3000), (1600, 1200), (320, 240)), ((3000, 4000), (1200, 1600), (240, 320)),
    ((640, 480), (640, 480), (320, 240)), ((100, 60), (100, 60), (100, 60)), ((5000, 3), (1600, 1), (320, 1)),
    ((1, 1), (1, 1), (1, 1)),
])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_sizes_are_those_of_the_longest_side_and_never_enlarged(size, screen, thumb, kind):
    data = material.saved(material.quarters(size), kind)
    assert drawn(data, "screen").size == screen
    assert drawn(data, "thumb").size == thumb


@pytest.mark.parametrize("name", WHOLE)
def test_every_sort_of_photo_is_drawn_as_itself(name):
    picture = material.scene(3, (96, 72))
    if name in ("png clear", "png grey alpha", "webp lossless"):
        cover = Image.linear_gradient("L").resize((96, 72))
        picture = Image.composite(picture, Image.new("RGB", (96, 72), "white"), cover)
    seen, expected = coarse(drawn(WHOLE[name], "screen")), coarse(picture)
    # One colour of the palette is made transparent, and so becomes white.
    assert np.median(np.abs(seen - expected)) < 6


def coarse(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L").resize((12, 9), Image.Resampling.BOX), dtype=float)


@pytest.mark.parametrize(("orientation", "expected"), [
    (1, "red green blue white"), (2, "green red white blue"), (3, "white blue green red"), (4, "blue white red green"),
    (5, "red blue green white"), (6, "blue red white green"), (7, "white green blue red"), (8, "green white red blue"),
])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_the_picture_stands_upright(kind, orientation, expected):
    data = material.saved(material.quarters(), kind, exif=material.exif(orientation=orientation))
    picture = drawn(data)
    assert colours(picture) == expected.split()
    assert picture.size == ((48, 64) if orientation >= 5 else (64, 48))


@pytest.mark.parametrize("name", ["thumb", "screen"])
def test_nothing_but_the_picture_is_in_a_rendition(name):
    photo = material.jpeg(
        exif=material.exif(orientation=6), icc_profile=material.profile_of("sRGB"), comment=b"SECRET comment",
        xmp=b"<x:xmpmeta>SECRET xmp</x:xmpmeta>", dpi=(300, 300),
    )
    photo = material.with_segment(photo, 0xED, b"Photoshop 3.0\x008BIMSECRET iptc")
    photo = material.with_segment(photo, 0xE4, b"SECRET maker")
    data = derive(photo).sizes[name]
    assert photo.count(b"SECRET") == 4
    assert {marker for marker, _ in material.segments(data)} <= {0xE0, 0xDB, 0xC0, 0xC4}
    assert not any(word in data for word in (b"SECRET", b"Exif", b"HUAWEI", b"ICC_PROFILE", b"http"))
    assert Image.open(io.BytesIO(data)).info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_nothing_that_clings_to_a_picture_is_saved_with_it():
    picture = material.scene(1, (32, 24))
    picture.info = {"comment": b"SECRET", "exif": b"Exif\0\0SECRET", "xmp": b"SECRET", "icc_profile": b"SECRET"}
    assert b"SECRET" not in renditions._as_jpeg(picture)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF"])
def test_metadata_of_other_kinds_is_left_behind(kind):
    photo = material.saved(material.scene(3, (96, 72)), kind, exif=material.exif(), xmp=b"<x:xmpmeta>SECRET</x>")
    assert b"HUAWEI" in photo
    for data in derive(photo).sizes.values():
        assert {marker for marker, _ in material.segments(data)} <= {0xE0, 0xDB, 0xC0, 0xC4}
        assert b"HUAWEI" not in data
        assert b"SECRET" not in data


def test_colours_are_translated_to_srgb():
    swapped = profile_with_red_and_green_swapped()
    assert colours(drawn(material.saved(material.quarters(), "PNG", icc_profile=swapped))) == [
        "green", "red", "blue", "white"]


def profile_with_red_and_green_swapped() -> bytes:
    """An sRGB profile whose red and green primaries have changed places, and whose name says so."""
    profile = bytearray(material.profile_of("sRGB"))
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red:red + 4], profile[green:green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))


@pytest.mark.parametrize("profile", [
    b"rubbish", bytes(5_000), material.profile_of("LAB"), material.profile_of("sRGB")[:200],
], ids=["words", "zeros", "of another space", "cut"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_profile_that_makes_no_sense_is_passed_over(profile, mode):
    photo = material.jpeg(material.scene(3, (96, 72)).convert(mode), icc_profile=profile, exif=None)
    assert np.abs(coarse(drawn(photo, "screen")) - coarse(material.scene(3, (96, 72)))).max() < 12


def test_what_is_transparent_becomes_white():
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    for kind in ("PNG", "WEBP"):
        assert min(drawn(material.saved(clear, kind)).getpixel((20, 20))) > 250


def test_a_heic_is_drawn_from_the_photo_and_not_from_its_thumbnail():
    photo = material.saved(material.scene(6), "HEIF", thumbnails=[400])
    assert b"thmb" in photo
    with opened(outline_of(photo)) as image:
        assert image.draft(None, (320, 240)) is None
        assert image.size == (640, 480)


def test_the_hash_belongs_to_the_upright_picture():
    image = material.scene(4)
    upright = derive(material.jpeg(image, exif=None)).phash
    turned = material.jpeg(image.transpose(Image.Transpose.ROTATE_90), exif=material.exif(orientation=6))
    assert distance(upright, derive(turned).phash) <= 6


@pytest.mark.parametrize("name", material.foreign_files())
def test_other_kinds_are_broken(name):
    with pytest.raises(BrokenImage, match="accepted"):
        derive(material.foreign_files()[name])


def test_the_reason_is_given():
    with pytest.raises(BrokenImage) as caught:
        derive(WHOLE["jpeg"][:-200])
    assert "cut off" in caught.value.reason
    with pytest.raises(BrokenImage) as caught:
        derive(material.png_of_zeros(40_000, 40_000, whole=False))
    assert "megapixels" in caught.value.reason


def test_pixels_that_end_too_early_are_broken():
    data = material.png_of_zeros(64, 64)
    short = data[:33] + material.chunk(b"IDAT", data[41:50]) + material.chunk(b"IEND", b"")
    with pytest.raises(BrokenImage):
        derive(short)


@settings(max_examples=150, deadline=2_000)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=6),
    early=st.booleans(), cut=st.sampled_from([1, 1, 0.99, 0.7]),
)
def test_damage_of_any_sort_ends_in_a_picture_or_broken_image(name, changes, early, cut):
    data = bytearray(WHOLE[name])
    for at, value in changes:
        data[at % (min(len(data), 400) if early else len(data))] = value
    with suppress(BrokenImage):
        assert derive(bytes(data[:int(cut * len(data))])).sizes.keys() == {"thumb", "screen"}


def test_one_decode_at_a_time(monkeypatch):
    at_once, most, guard = 0, 0, threading.Lock()
    gate = threading.Barrier(4)

    def watched(image):
        nonlocal at_once, most
        with guard:
            at_once += 1
            most = max(most, at_once)
        image.load()
        threading.Event().wait(0.02)
        with guard:
            at_once -= 1
        return image

    def run():
        gate.wait()
        derive(WHOLE["jpeg bare"])

    monkeypatch.setattr(renditions, "_decoded", watched)
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def largest_photos():
    """The largest accepted of each kind, and the megabytes that its drawing may take in a bare process."""
    clear = Image.new("RGBA", (6_000, 4_000), (10, 120, 200, 128))
    return {
        "jpeg of 200 megapixels": (lambda: material.tall_jpeg(16_320, 12_240), 350),
        "png of 24 megapixels": (lambda: material.saved(clear, "PNG", compress_level=1), 350),
        "heic of 24 megapixels": (lambda: material.saved(clear.convert("RGB"), "HEIF", quality=30, enc_params={"preset": "ultrafast"}), 350),
        "webp of 24 megapixels": (lambda: material.saved(clear, "WEBP", method=0, quality=30), 350),
    }


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("name", largest_photos())
def test_the_largest_photos_fit_into_a_worker(name, tmp_path):
    make, most_mb = largest_photos()[name]
    (tmp_path / "photo").write_bytes(make())
    program = (
        "import pathlib, sys; from patrol.evidence.renditions import derive\n"
        "assert derive(pathlib.Path(sys.argv[1]).read_bytes()).sizes['screen']\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "photo")], capture_output=True, text=True, check=True,
        cwd=Path(renditions.__file__).parents[2], timeout=120,
    )
    assert int(done.stdout) / 1_000 <= most_mb


def test_the_swapped_profile_is_a_profile():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_with_red_and_green_swapped()))
    assert not ImageCms.getProfileDescription(profile).startswith("sRGB")
