import struct
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL.TiffImagePlugin import IFDRational

from patrol.evidence.exif import PhotoFacts, read_facts
from patrol.evidence.intake import examine
from tests.evidence import material


def facts(**changes) -> PhotoFacts:
    return read_facts(material.exif(**changes).tobytes())


def test_all_facts_of_a_phones_photo():
    assert facts() == PhotoFacts(
        taken_local="2026-05-01T08:30:00", taken_offset="+08:00",
        gps_at=datetime(2026, 5, 1, 0, 29, 58, 500_000, tzinfo=UTC), latitude=30.25, longitude=120.125, accuracy_m=4.5,
        orientation=1, camera_make="HUAWEI", camera_model="ALN-AL00", software="HarmonyOS 5.0",
    )


def test_both_byte_orders_and_both_headings():
    block = material.tiff((0x0112, 3, 1, b"\0\6"), (0x010F, 2, 3, b"abc"), order=">")
    assert read_facts(block) == read_facts(b"Exif\0\0" + block) == PhotoFacts(orientation=6, camera_make="abc")


@pytest.mark.parametrize(("position", "expected"), [
    ((-33.9, -70.5), (-33.9, -70.5)), ((0.0, 120.5), (0.0, 120.5)), ((0.0, 0.0), (None, None)),
    ((90.5, 120.0), (None, None)), ((30.0, 180.5), (None, None)), (None, (None, None)),
])
def test_positions(position, expected):
    found = facts(position=position)
    assert (found.latitude, found.longitude) == expected


@pytest.mark.parametrize("gps", [
    {"GPSLatitudeRef": "X"}, {"GPSLatitude": (30.0, IFDRational(0, 0), 5.0)}, {"GPSLongitude": (120.0, 75.0, 0.0)},
    {"GPSLongitudeRef": ""}, {"GPSLatitude": (IFDRational(1, 0), 1.0, 1.0)},
    {"GPSLatitude": (IFDRational(0, 0), 1.0, 1.0)},
])
def test_a_position_that_makes_no_sense_is_none(gps):
    found = facts(**gps)
    assert (found.latitude, found.longitude) == (None, None)
    assert found.taken_local


@pytest.mark.parametrize(("gps", "latitude"), [
    ((30.0, 15.0, IFDRational(0, 0)), 30.25), ((30.0, 15.0), 30.25), ((30.25,), 30.25), ((30.25, IFDRational(0, 0), IFDRational(0, 0)), 30.25),
])  # fmt: skip
def test_a_position_is_read_as_far_as_it_was_written(gps, latitude):
    assert facts(GPSLatitude=gps).latitude == latitude


@pytest.mark.parametrize(("raw", "turn"), [(b"\6", 6), (b"\0", None), (b"6", None), (b"\6\6", None)])
def test_how_a_photo_was_held_may_be_one_byte(raw, turn):
    assert read_facts(material.tiff((0x0112, 1, len(raw), raw.ljust(4, b"\0")))).orientation == turn


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt"])
def test_the_text_that_holds_the_exif_of_a_png_turns_it(name):
    block = b"Exif\0\0" + material.tiff((0x0112, 1, 1, b"\6\0\0\0"))
    text = f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()
    plain = material.png_of_zeros(40, 20)
    for good, body in ((True, text), (False, text[:-2]), (False, b"\nexif\n 1\n\xff"), (False, b"")):
        packed = b"\0" + zlib.compress(body) if name == b"zTXt" else body
        found = examine(plain[:33] + material.chunk(name, b"Raw profile type exif\0" + packed) + plain[33:], most_bytes=10_000)
        assert (found.exif.orientation, found.width, found.height) == ((6, 20, 40) if good else (None, 40, 20))
    if name == b"zTXt":
        assert examine(plain[:33] + material.chunk(name, b"Raw profile type exif\0\0junk") + plain[33:], most_bytes=10_000).exif.orientation is None


@pytest.mark.parametrize("taken", [
    "0000:00:00 00:00:00", "2026:02:30 08:00:00", "2026:05:01", "    :  :     :  :  ", "2026:05:01 25:00:00",
    "yesterday",
])
def test_a_time_that_does_not_exist_is_none(taken):
    assert facts(taken=taken).taken_local is None


def test_digits_of_other_scripts_are_no_time():
    raw = "２０２６:05:01 08:30:00".encode()
    inner = material.tiff((0x9003, 2, len(raw), struct.pack("<I", 52)))[8:]
    block = material.tiff((0x8769, 4, 1, struct.pack("<I", 26)), tail=inner + bytes(8) + raw)
    assert raw in block[52:52 + len(raw)]
    assert read_facts(block).taken_local is None
    assert read_facts(block.replace(raw, b"2026:05:01 08:30:00".ljust(len(raw), b"\0"))).taken_local


@pytest.mark.parametrize(("offset", "expected"), [("-03:30", "-03:30"), ("Z", "+00:00"), ("+25:00", None), ("8", None)])
def test_offsets(offset, expected):
    assert facts(offset=offset).taken_offset == expected


@pytest.mark.parametrize("fixed", [
    ("2026:05:32", (0.0, 0.0, 0.0)), ("2026:05:01", (24.0, 0.0, 0.0)), ("2026:05:01", (1.5, 0.0, 0.0)),
    ("", (0.0, 0.0, 0.0)), ("2026:05:01", (1.0, 1.0)), ("2026:05:01", (1.0, 1.0, IFDRational(1, 0))),
])
def test_satellite_times_that_do_not_exist_are_none(fixed):
    assert facts(fixed=fixed).gps_at is None


@pytest.mark.parametrize("accuracy_m", [0.0, IFDRational(1, 0), IFDRational(0, 0), 2_000_000.0])
def test_an_accuracy_that_makes_no_sense_is_none(accuracy_m):
    assert facts(accuracy_m=accuracy_m).accuracy_m is None


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_unknown_orientation_is_none(orientation):
    assert read_facts(material.tiff((0x0112, 3, 1, struct.pack("<H", orientation)))).orientation is None


@pytest.mark.parametrize(("raw", "expected"), [
    (b"Xiaomi\0hidden", "Xiaomi"), ("华为 手机".encode(), "华为 手机"), (b"\x1b[31mred\r\nline", "[31mred line"),
    ("\u202egnp".encode(), "gnp"), (b"   \0", None), (b"caf\xe9 noir", "café noir"), (b"x" * 500, "x" * 64),
])
def test_texts_are_one_clean_line(raw, expected):
    block = material.tiff((0x010F, 2, len(raw), struct.pack("<I", 26)), tail=raw)
    assert read_facts(block).camera_make == expected


@pytest.mark.parametrize("name", material.exif_rubbish())
def test_rubbish_is_no_fact(name):
    assert read_facts(material.exif_rubbish()[name]) == PhotoFacts()


def test_no_block_is_no_fact():
    assert read_facts(None) == PhotoFacts()


GOOD = material.exif().tobytes()


@settings(max_examples=500, deadline=500)
@given(changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=12),
       cut=st.integers(0, len(GOOD)))
@example(changes=[], cut=len(GOOD))
def test_damage_never_raises_and_never_leaves_a_dangerous_value(changes, cut):
    block = bytearray(GOOD)
    for at, value in changes:
        block[at] = value
    found = read_facts(bytes(block[:cut]))
    for text in (found.camera_make, found.camera_model, found.software):
        assert text is None or (text.isprintable() and 0 < len(text) <= 64)
    assert found.latitude is None or (-90 <= found.latitude <= 90 and -180 <= found.longitude <= 180)
    assert found.orientation in (None, *range(1, 9))
    assert found.accuracy_m is None or 0 < found.accuracy_m <= 1_000_000
    assert found.taken_local is None or datetime.fromisoformat(found.taken_local)
