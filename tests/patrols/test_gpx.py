"""GPX points read from files of any make: what an extension names alike is not the point's own."""

import pytest

from patrol.foundation.errors import Invalid
from patrol.patrols.gpx import gpx_points

_FILE = """<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg><trkpt lat="29.6" lon="119.8">{own}<extensions>
<x:more xmlns:x="urn:x"><x:time>2020-01-01T00:00:00Z</x:time><x:speed>2.5</x:speed></x:more></extensions></trkpt></trkseg></trk></gpx>"""


def test_the_time_of_an_extension_is_not_the_point_s():
    own = "<time>2026-05-01T00:30:00Z</time>"
    assert [point.get("recorded_at") for point in gpx_points(_FILE.format(own=own).encode())] == ["2026-05-01T00:30:00Z"]
    assert [point.get("recorded_at") for point in gpx_points(_FILE.format(own="").encode())] == [None]


def test_a_point_s_own_speed_counts_before_its_extensions():
    assert [point["speed_mps"] for point in gpx_points(_FILE.format(own="").encode())] == [2.5]
    assert [point["speed_mps"] for point in gpx_points(_FILE.format(own="<speed>1</speed>").encode())] == [1.0]


@pytest.mark.parametrize("coding", ["UTF-8", "UTF-16", "GB2312", "gbk", "gb18030"])
def test_a_file_may_be_written_as_chinese_programs_do(coding):
    text = f"<?xml version='1.0' encoding='{coding}'?><gpx><trk><name>清溪河</name><trkseg><trkpt lat='29.6' lon='119.8'/></trkseg></trk></gpx>"
    assert gpx_points(text.encode(coding)) == [{"latitude": 29.6, "longitude": 119.8}]


@pytest.mark.parametrize("data", [b'<?xml version="1.0" encoding="gbk"?><gpx>\xff</gpx>', b"", b"<gpx><trk>", b"no xml", b'<?xml version="1.0" encoding="nonsense"?><gpx/>'])
def test_a_broken_file_is_told_of_in_ones_own_language(data):
    with pytest.raises(Invalid) as caught:
        gpx_points(data)
    assert "请重新导出" in caught.value.detail.zh
    assert not any(letter.islower() for letter in caught.value.detail.zh)
