import hashlib
import io
import logging
import time
import warnings
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from patrol.evidence.exif import PhotoFacts
from patrol.evidence.intake import examine
from patrol.evidence.structure import MOST_PIXELS, outline_of
from patrol.foundation.errors import Invalid, Refusal, TooLarge, UnsupportedKind
from tests.evidence import material

WHOLE = material.whole_photos()
# Behind the picture of these lies something else, whose loss leaves the picture whole.
WITH_TRAILER = {"jpeg motion", "jpeg pair"}


@pytest.mark.parametrize("name", WHOLE)
def test_each_sort_of_photo_is_accepted(name):
    data = WHOLE[name]
    examined = examine(data)
    kind, media_type = {
        "jpeg": ("JPEG", "image/jpeg"), "png": ("PNG", "image/png"), "webp": ("WEBP", "image/webp"),
        "heic": ("HEIF", "image/heic"),
    }[name.split()[0]]
    assert (examined.format, examined.media_type, examined.width, examined.height) == (kind, media_type, 96, 72)
    assert (examined.sha256, examined.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "heic"])
def test_facts_are_found_in_each_container(name):
    facts = examine(WHOLE[name]).exif
    assert (facts.taken_local, facts.latitude, facts.longitude) == ("2026-05-01T08:30:00", 30.25, 120.125)


def test_sources_are_bytes_paths_and_streams(tmp_path):
    data = WHOLE["jpeg"]
    (tmp_path / "photo.txt").write_bytes(data)
    assert examine(data) == examine(tmp_path / "photo.txt") == examine(io.BytesIO(data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_width_and_height_are_those_of_the_upright_picture(orientation):
    examined = examine(material.jpeg(material.quarters(), exif=material.exif(orientation=orientation)))
    assert (examined.width, examined.height) == ((48, 64) if orientation >= 5 else (64, 48))


def test_a_turned_heic_is_upright_already():
    turned = examine(material.saved(material.quarters(), "HEIF", exif=material.exif(orientation=6)))
    assert (turned.width, turned.height, turned.exif.orientation) == (48, 64, 1)


@pytest.mark.parametrize("name", material.foreign_files())
def test_other_kinds_are_unsupported(name):
    with pytest.raises(UnsupportedKind):
        examine(material.foreign_files()[name])


@pytest.mark.parametrize("name", material.polyglots())
def test_what_is_really_a_jpeg_is_one_whatever_else_it_is(name):
    assert examine(material.polyglots()[name]).media_type == "image/jpeg"


def test_an_empty_file_is_invalid():
    with pytest.raises(Invalid):
        examine(b"")


def test_too_many_bytes_are_refused_from_every_source(tmp_path):
    data = WHOLE["jpeg"]
    (tmp_path / "photo").write_bytes(data)
    for source in (data, tmp_path / "photo", io.BytesIO(data)):
        with pytest.raises(TooLarge):
            examine(source, most_bytes=len(data) - 1)
    assert examine(data, most_bytes=len(data)).size_bytes == len(data)


def test_a_stream_is_not_read_beyond_the_limit():
    stream = io.BytesIO(bytes(1_000_000))
    with pytest.raises(TooLarge):
        examine(stream, most_bytes=1_000)
    assert stream.tell() == 1_001


def bombs():
    photo = WHOLE["jpeg bare"]
    return {
        "png header": material.png_of_zeros(40_000, 40_000, whole=False),
        "png just above": material.png_of_zeros(6_001, 4_000, whole=False),
        "png of 39 megapixels": material.png_of_zeros(7_800, 5_000),
        "webp": material.webp_header(16_000, 16_000),
        "jpeg": material.with_frame_size(photo, 65_000, 65_000),
        "jpeg in passes": material.with_frame_size(WHOLE["jpeg progressive"], 12_000, 9_000),
        "jpeg with passes without number": endless_passes(),
    }


def endless_passes():
    photo = WHOLE["jpeg progressive"]
    start = photo.rindex(b"\xff\xda")
    return photo[:start] + photo[start:-2] * 200 + b"\xff\xd9"


@pytest.mark.parametrize("name", bombs())
def test_bombs_are_refused_from_the_header(name):
    data = bombs()[name]
    with pytest.raises(TooLarge):
        examine(data)


def test_a_heic_of_too_many_pixels_is_refused(monkeypatch):
    monkeypatch.setitem(MOST_PIXELS, "HEIF", 96 * 72 - 1)
    with pytest.raises(TooLarge):
        examine(WHOLE["heic"])


def test_a_jpeg_of_200_megapixels_is_accepted():
    assert examine(material.tall_jpeg(16_320, 12_240)).width == 16_320


@pytest.mark.parametrize("name", [
    "lossless", "twelve bits", "two parts", "two frames", "no frame", "no picture", "no pixels", "unknown marker",
])
def test_impossible_jpegs_are_refused(name):
    photo = WHOLE["jpeg bare"]
    frame, scan = photo.index(b"\xff\xc0"), photo.index(b"\xff\xda")
    data = {
        "lossless": photo[:frame + 1] + b"\xc3" + photo[frame + 2:],
        "twelve bits": photo[:frame + 4] + b"\x0c" + photo[frame + 5:],
        "two parts": photo[:frame + 9] + b"\x02" + photo[frame + 10:],
        "two frames": photo[:frame] + photo[frame:scan] * 2 + photo[scan:],
        "no frame": photo[:frame] + photo[scan:], "no picture": photo[:scan] + b"\xff\xd9",
        "no pixels": material.with_frame_size(photo, 0, 10), "unknown marker": photo[:2] + b"\xff\x01" + photo[2:],
    }[name]
    with pytest.raises(UnsupportedKind if name in ("lossless", "twelve bits", "two parts") else Invalid):
        examine(data)


@pytest.mark.parametrize("name", [
    "png without picture", "png not beginning with its header", "webp without picture", "webp with a wrong chunk",
    "heic without picture", "heic box too short",
])
def test_containers_that_contradict_their_kind_are_invalid(name):
    png, webp, heic = WHOLE["png"], WHOLE["webp"], WHOLE["heic"]
    data = {
        "png without picture": material.png_of_zeros(4, 4, whole=False) + material.chunk(b"IEND", b""),
        "png not beginning with its header": png[:8] + material.chunk(b"tEXt", b"a\0b") + png[8:],
        "webp without picture": material.webp_header(10, 10),
        "webp with a wrong chunk": webp[:12] + b"ABCD" + webp[16:],
        "heic without picture": heic[:heic.index(b"mdat") - 4],
        "heic box too short": heic[:32] + b"\0\0\0\4" + heic[36:],
    }[name]
    with pytest.raises(Invalid):
        examine(data)


@pytest.mark.parametrize("padding", [b"\0" * 40, b"\xff" * 40, b"\n"])
@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "heic"])
def test_padding_behind_the_photo_does_no_harm(name, padding):
    if name == "heic" and padding[0] == 0xFF:
        # A HEIC has boxes to its end; this would begin one of 4 GB.
        padding = padding[:7]
    assert examine(WHOLE[name] + padding).width == 96


@pytest.mark.parametrize("name", sorted(WHOLE.keys() - WITH_TRAILER))
@settings(max_examples=40, deadline=1_000)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_photo_cut_anywhere_is_refused(name, share):
    data = WHOLE[name]
    with pytest.raises(Refusal):
        examine(data[:int(share * len(data))])


@settings(max_examples=300, deadline=1_000)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=6),
    early=st.booleans(), cut=st.floats(0.2, 1),
)
def test_damage_of_any_sort_ends_in_a_photo_or_a_refusal(name, changes, early, cut):
    data = bytearray(WHOLE[name])
    for at, value in changes:
        data[at % (min(len(data), 400) if early else len(data))] = value
    with suppress(Refusal):
        assert examine(bytes(data[:int(cut * len(data))])).width > 0


@settings(max_examples=200, deadline=1_000)
@given(data=st.binary(max_size=300), start=st.sampled_from([
    b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xc0\0\x11\x08", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBPVP8 ",
    b"RIFF\xff\0\0\0WEBPVP8L", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypmif1\0\0\0\0heic",
]))
def test_noise_is_refused(start, data):
    with pytest.raises(Refusal):
        examine(start + data)


@pytest.mark.parametrize("name", material.exif_rubbish())
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_rubbish_in_exif_neither_refuses_a_photo_nor_makes_a_noise(name, kind, caplog):
    rubbish = material.exif_rubbish()[name]
    small = material.scene(3, (96, 72))
    if kind == "JPEG":
        data = material.with_segment(WHOLE["jpeg bare"], 0xE1, b"Exif\0\0" + rubbish[:65_000])
    elif kind == "PNG":
        data = WHOLE["png bits"]
        data = data[:33] + material.chunk(b"eXIf", rubbish) + data[33:]
    else:
        data = material.saved(small, kind, exif=rubbish or None)
    with warnings.catch_warnings(record=True) as noise, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        assert examine(data).exif == PhotoFacts()
    assert not noise
    assert not [record for record in caplog.records if "tag" in record.getMessage()]


@pytest.mark.parametrize(("name", "words"), [
    ("jpeg", [b"Exif", b"HUAWEI"]), ("jpeg pair", [b"MPF"]), ("jpeg motion", [b"ftyp"]), ("png", [b"zTXt", b"eXIf"]),
    ("png moving", [b"acTL", b"fdAT"]),
])
def test_decoders_see_nothing_but_the_picture(name, words):
    bare = outline_of(WHOLE[name]).bare
    for word in words:
        assert word in WHOLE[name]
        assert word not in bare


def test_a_second_picture_inside_does_not_count():
    assert Image.open(io.BytesIO(WHOLE["jpeg pair"])).format == "MPO"
    assert examine(WHOLE["jpeg pair"]).format == "JPEG"


@pytest.mark.parametrize("data", [
    b"\xff\xd8" + b"\xff" * 2_000_000,
    b"\xff\xd8" + b"\xff\xdd\0\4\0\0" * 300_000,
    material.png_of_zeros(4, 4, whole=False) + material.chunk(b"abCd", b"") * 200_000,
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x08free" * 200_000,
    material.WEBP_OF_MANY_PIECES,
], ids=["padding", "jpeg segments", "png chunks", "heic boxes", "webp chunks"])
def test_pieces_without_number_cost_little(data):
    began = time.process_time()
    with pytest.raises(Refusal):
        examine(data)
    # Ten times what it takes, so that only work that grows with the file can fail this.
    assert time.process_time() - began < 1
