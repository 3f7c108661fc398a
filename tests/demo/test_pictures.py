import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from patrol.demo.pictures import PICTURE_KINDS, draw_photo

AT = datetime(2026, 9, 14, 1, 30, 5, tzinfo=UTC)
PLACE = {"latitude": 29.612345, "longitude": 119.801234}


def drawn(kind, seed, phase="before"):
    return draw_photo(kind, seed, phase=phase, recorded_at=AT, **PLACE)


def pixels(jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB").resize((160, 120)), dtype=np.float32)


def difference_hash(jpeg):
    grey = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L").resize((9, 8), Image.Resampling.BOX), dtype=int)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


@pytest.fixture(scope="module")
def album():
    return {(kind, phase): drawn(kind, 4, phase) for kind in PICTURE_KINDS for phase in ("before", "after")}


def test_photos_have_the_size_of_a_telephone_picture(album):
    for jpeg in album.values():
        assert Image.open(io.BytesIO(jpeg)).size == (1280, 960)
        assert 100_000 <= len(jpeg) <= 260_000


def test_photos_tell_camera_time_with_offset_and_place(album):
    exif = Image.open(io.BytesIO(album["outfall", "before"])).getexif()
    details, position = exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo)
    assert exif[Base.Make]
    assert exif[Base.Model]
    assert details[Base.DateTimeOriginal] == "2026:09:14 09:30:05"
    assert details[Base.OffsetTimeOriginal] == "+08:00"
    for value, name in ((GPS.GPSLatitude, "latitude"), (GPS.GPSLongitude, "longitude")):
        degrees, minutes, seconds = (float(part) for part in position[value])
        assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(PLACE[name], abs=2e-6)
    assert (position[GPS.GPSLatitudeRef], position[GPS.GPSLongitudeRef]) == ("N", "E")


def test_no_two_photos_look_alike(album):
    photos = [*album.values(), *(drawn("floating_litter", seed) for seed in range(5, 11))]
    small = [pixels(jpeg) for jpeg in photos]
    for number, one in enumerate(small):
        for other in small[number + 1 :]:
            assert np.abs(one - other).mean() > 2.0


def test_different_scenes_have_distant_perceptual_hashes():
    hashes = [difference_hash(drawn(kind, seed)) for seed in (1, 2) for kind in PICTURE_KINDS]
    gaps = [int((a != b).sum()) for number, a in enumerate(hashes) for b in hashes[number + 1 :]]
    assert np.median(gaps) >= 12
    assert min(gaps) >= 2


@pytest.mark.parametrize("kind", [kind for kind in PICTURE_KINDS if kind != "clean"])
def test_the_cure_shows_the_same_place_without_the_trouble(album, kind):
    before, after = pixels(album[kind, "before"]), pixels(album[kind, "after"])
    skyline_before, skyline_after = (one[:40].mean(axis=2) for one in (before, after))
    assert np.corrcoef(skyline_before.mean(axis=1), skyline_after.mean(axis=1))[0, 1] > 0.5
    assert np.abs(before[48:] - after[48:]).max() > 60


def test_the_same_arguments_give_the_same_bytes(album):
    assert drawn("algae", 4) == album["algae", "before"]


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        drawn("volcano", 1)
