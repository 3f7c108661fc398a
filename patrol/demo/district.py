"""What Qingxi District consists of: names, courses, sizes and counts. All of it is invented.

Places are kilometres east and north of the district's centre, in the hills of Zhejiang.
"""

from dataclasses import dataclass

CENTRE_LATITUDE, CENTRE_LONGITUDE = 29.6, 119.8
DISTRICT_CODE, DISTRICT_NAME = "990100", "清溪区"
RADIUS_KM, STRETCH_EAST = 12.2, 1.16
OUTLINE_WAVES = ((2, 0.055, 0.9), (3, 0.05, 2.1), (5, 0.028, 4.0), (9, 0.014, 1.3), (14, 0.009, 0.4), (23, 0.006, 2.6))
VILLAGE_SPACING_KM = 2.4

Place = tuple[float, float]


@dataclass(frozen=True)
class Town:
    """A township: the last three digits of its code, its name, and where its seat lies."""

    code: str
    name: str
    seat: Place


@dataclass(frozen=True)
class River:
    """A river's course from source to mouth; it ends on the river `joins`, at that river's point nearest the last."""

    name: str
    target_class: str
    width_m: int
    meander_m: int
    course: tuple[Place, ...]
    joins: str = ""


TOWNS = (
    Town("001", "清溪街道", (-0.9, -1.2)),
    Town("100", "龙潭镇", (-7.0, 4.6)),
    Town("101", "白石镇", (-0.2, 5.4)),
    Town("102", "东坞镇", (6.0, 6.0)),
    Town("103", "湖埠镇", (10.6, 0.6)),
    Town("104", "沙埠镇", (5.6, -5.2)),
    Town("200", "云岭乡", (-9.6, -5.2)),
    Town("201", "石门乡", (-3.4, -8.2)),
)

RIVERS = (
    River("清溪", "III", 70, 260, ((-15.5, -7.9), (-11, -6.5), (-7.5, -4.2), (-3.5, -3.0), (0, -1.2), (3.5, 0.2),
                                  (7, 1.2), (10.5, 3.4), (15.5, 5.2))),
    River("龙潭溪", "II", 32, 210, ((-10.4, 7.4), (-8.8, 5.2), (-6.2, 3.6), (-5, 1), (-4.2, -1.2), (-3.4, -3.0)),
          "清溪"),
    River("白石溪", "II", 30, 190, ((1.9, 10.9), (2.2, 9), (1.2, 6.5), (2.6, 4.2), (2.7, 2), (3.6, 0.3)), "清溪"),
    River("沙溪", "III", 36, 220, ((9.0, -8.3), (8.6, -6.8), (6.8, -5.2), (7.6, -2.5), (6.9, -0.4), (7.6, 1.5)), "清溪"),
    River("小源坑", "II", 12, 110, ((-11.6, 1.6), (-9.4, 2.0), (-7.6, 2.5), (-6.0, 3.4)), "龙潭溪"),
    River("樟溪", "II", 14, 120, ((-4.6, 9.3), (-2.4, 8.2), (-0.4, 7.4), (1.3, 6.3)), "白石溪"),
    River("石门涧", "II", 16, 140, ((-5.2, -10.3), (-3.8, -7.6), (-2.6, -5), (-1.2, -1.7)), "清溪"),
    River("竹坞溪", "III", 12, 120, ((2.6, -8.9), (4.0, -7.4), (5.4, -6.3), (6.9, -5.1)), "沙溪"),
    River("东坞溪", "III", 14, 130, ((7.4, 9.4), (8.2, 7.2), (9.4, 5.4), (10.2, 3.2)), "清溪"),
    River("云岭坑", "II", 12, 120, ((-8.6, -10.2), (-9.4, -8.2), (-8.4, -6.2), (-8.2, -4.6)), "清溪"),
)  # fmt: skip

BORDER_RIVER = "白石溪"
BORDER_NORTH: tuple[Place, ...] = ((1.2, 16.0), (1.7, 12.5))
"""From outside the district to the border river's source; the townships part along this and then along the river."""
BORDER_SOUTH: tuple[Place, ...] = (
    (3.3, -0.9), (2.6, -2.2), (2.7, -3.6), (1.6, -4.9), (1.5, -6.4), (0.5, -7.8), (1.1, -9.6), (0.2, -16.0),
)  # fmt: skip
"""The ridge that goes on parting them from the border river's mouth to the district's edge."""


@dataclass(frozen=True)
class Reservoir:
    """A valley filled by a dam: the part of `river` between two fractions of its length, widest at the dam."""

    name: str
    river: str
    from_fraction: float
    to_fraction: float
    width_m: int


@dataclass(frozen=True)
class Lake:
    """A lake of about `radius_m` around a place."""

    name: str
    place: Place
    radius_m: int


RESERVOIRS = (Reservoir("龙潭水库", "龙潭溪", 0.13, 0.27, 560),)
LAKES = (Lake("镜湖", (0.9, 0.9), 520),)
POND_NAMES = ("门口塘", "后山塘", "荷花塘", "大樟树塘", "官塘", "祠堂塘", "新塘", "洗马塘")
DITCH_NAMES = ("东干渠", "南沟渠", "团结渠", "下畈渠", "西排渠")
REACH_TOLERANCE_M = {"county": 100, "township": 80, "village": 60, "small": 40}
"""How far from its line a reach still answers: within the 50 to 100 metres usual for patrol buffers."""
BANK_OFFSET_M = 14.0

VILLAGE_NAMES = (
    "岭下", "前坞", "溪口", "大樟", "石桥头", "上畈", "下畈", "竹坞里", "枫树岭", "白沙湾", "金竹", "水碓头", "桐坑",
    "里山", "外山", "青山头", "横塘", "章家埠", "罗村", "麻车", "潭头", "黄泥岗", "西庄", "东畈", "新桥", "泉井",
    "云栖坞", "松坞", "梅坞口", "双溪口", "柳溪", "后畈", "塘坞", "汪家岭", "盛村", "古杏", "茶亭", "高坪", "回龙",
    "柏树下", "坎头", "源口", "鹤岭", "甘溪", "月湾", "石马", "乌桕", "毛竹山", "长滩", "沈家渡", "丰乐", "樟树坪",
    "叶家坞", "小麦岭", "响水", "马鞍", "桃源里", "富阳坞口", "三板桥", "凤凰坪", "石壁", "千工堰", "栗树坪", "下井",
)  # fmt: skip
