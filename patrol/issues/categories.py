"""How an issue is classified: what kind of trouble (category), how bad (severity), and where we heard of it (source).

The class names are the official ones (四乱 of the Ministry of Water Resources and the usual classes of the field); the
codes are ours. Departments, radii and severities are what a new installation starts with; for one case the
office may decide otherwise.
"""

from enum import StrEnum
from typing import NamedTuple

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text


class Severity(StrEnum):
    """How bad an issue is, which decides its deadline and who signs the closure; urgent tells haste, not size."""

    GENERAL = "general"
    SERIOUS = "serious"
    MAJOR = "major"
    URGENT = "urgent"


SEVERITY_NAME: dict[Severity, Text] = {
    Severity.GENERAL: Text("一般", "General"),
    Severity.SERIOUS: Text("较重", "Serious"),
    Severity.MAJOR:   Text("重大", "Major"),
    Severity.URGENT:  Text("紧急", "Urgent"),
}  # fmt: skip


class Source(StrEnum):
    """Where an issue came from."""

    PATROL = "patrol"
    CITIZEN = "citizen"
    HOTLINE = "hotline"
    SUPERIOR = "superior"
    INSPECTION = "inspection"
    CEPI = "cepi"
    MEDIA = "media"
    DRONE = "drone"
    SENSOR = "sensor"
    DEPARTMENT = "department"


SOURCE_NAME: dict[Source, Text] = {
    Source.PATROL:     Text("巡河发现", "Found on patrol"),
    Source.CITIZEN:    Text("群众投诉", "Citizen's complaint"),
    Source.HOTLINE:    Text("热线转办", "Hotline (12345, 12314)"),
    Source.SUPERIOR:   Text("上级交办", "Assigned from above"),
    Source.INSPECTION: Text("督查发现", "Found by inspection"),
    Source.CEPI:       Text("中央生态环境保护督察", "Central environmental inspection"),
    Source.MEDIA:      Text("媒体曝光", "Reported by the media"),
    Source.DRONE:      Text("无人机发现", "Found by drone"),
    Source.SENSOR:     Text("监测预警", "Monitoring alert"),
    Source.DEPARTMENT: Text("部门发现", "Found by a department"),
}  # fmt: skip


class Category(NamedTuple):
    """One row of the tree of categories.

    `department` is the code of the bureau that such a case calls in, if any; `radius_m` is how near (in metres) another
    open case of the same category must lie to be shown as a possible duplicate, 0 where the place proves nothing;
    `public` tells whether citizens may choose it; `severity` is what an issue has until the office says otherwise.
    """

    code: str
    parent: str | None
    department: str | None
    radius_m: int
    public: bool
    severity: Severity
    name: Text


_GEN, _SER, _URG = Severity.GENERAL, Severity.SERIOUS, Severity.URGENT

# Columns as in `Category`. A heading's own values suit most of what it heads; no issue has them.
_ROWS = (
    ("A",   None, "water",             100, True,  _GEN, "四乱", "Four chaos"),
    ("A1",  "A",  "water",             100, True,  _GEN, "乱占", "Unlawful occupation"),
    ("A11", "A1", "water",             200, True,  _SER, "围垦湖泊", "Lake reclamation"),
    ("A12", "A1", "water",             200, True,  _SER, "围垦河道", "River reclamation"),
    ("A13", "A1", "water",             100, True,  _GEN, "种植阻水林木、高秆作物", "Flood-blocking crops or trees"),
    ("A14", "A1", "water",             100, True,  _GEN, "填堵旧河道、堤防", "Filling of old channels or dikes"),
    ("A15", "A1", "water",             200, True,  _SER, "改变水系、河道加盖", "Changing or covering a watercourse"),
    ("A16", "A1", "water",             100, True,  _GEN, "占用江心洲、滩地", "Use of sandbars or flats"),
    ("A17", "A1", "agriculture",       100, True,  _GEN, "围网、水面占用", "Net pens, water-surface occupation"),
    ("A2",  "A",  "water",             200, True,  _SER, "乱采", "Unlawful mining"),
    ("A21", "A2", "water",             200, True,  _SER, "非法采砂", "Unlawful sand mining"),
    ("A22", "A2", "natural_resources", 100, True,  _GEN, "非法取土", "Unlawful soil taking"),
    ("A23", "A2", "water",             100, True,  _SER, "爆破、钻探、挖塘", "Blasting, drilling, digging of ponds"),
    ("A3",  "A",  "urban_management",   50, True,  _GEN, "乱堆", "Unlawful dumping"),
    ("A31", "A3", "urban_management",   50, True,  _GEN, "乱扔垃圾", "Litter"),
    ("A32", "A3", "ecology",            50, True,  _GEN, "倾倒、填埋、堆放固废", "Solid waste dumped or buried"),
    ("A33", "A3", "water",              50, True,  _GEN, "堆放阻碍行洪物体", "Flood-blocking objects"),
    ("A4",  "A",  "water",             100, True,  _GEN, "乱建", "Unlawful construction"),
    ("A41", "A4", "water",             200, True,  _GEN, "岸线占而不用、占多用少", "Shoreline unused or over-used"),
    ("A42", "A4", "water",             100, True,  _SER, "未批先建、批建不符", "Works without or against a permit"),
    ("A43", "A4", "water",             100, True,  _SER, "阻碍行洪的建筑物", "Flood-blocking buildings"),
    ("B",   None, "ecology",           200, True,  _GEN, "水质", "Water quality"),
    ("B1",  "B",  "housing",           300, True,  _GEN, "水体黑臭", "Black or odorous water"),
    ("B2",  "B",  "ecology",            50, True,  _GEN, "排污口异常", "Sewage outfall"),
    ("B3",  "B",  "ecology",           200, True,  _SER, "工业污染", "Industrial pollution"),
    ("B4",  "B",  "agriculture",       200, True,  _GEN, "畜禽水产养殖污染", "Livestock or aquaculture pollution"),
    ("B5",  "B",  "agriculture",       300, True,  _GEN, "农田面源污染", "Farm run-off"),
    ("B6",  "B",  "ecology",           500, True,  _SER, "藻类爆发、死鱼", "Algae bloom or fish kill"),
    ("B7",  "B",  "ecology",           500, True,  _SER, "油污", "Oil"),
    ("B8",  "B",  "ecology",           500, False, _SER, "监测数据异常", "Abnormal monitoring data"),
    ("C",   None, "urban_management",   50, True,  _GEN, "保洁", "Cleaning"),
    ("C1",  "C",  "urban_management",  100, True,  _GEN, "水面漂浮物", "Floating litter"),
    ("C2",  "C",  "urban_management",   50, True,  _GEN, "岸坡垃圾", "Litter on the bank"),
    ("C3",  "C",  "agriculture",        50, True,  _GEN, "动物尸体", "Dead animals"),
    ("C4",  "C",  "agriculture",       200, True,  _GEN, "水生植物泛滥、外来物种", "Overgrown or invasive plants"),
    ("C5",  "C",  "water",             200, True,  _GEN, "淤积", "Silt"),
    ("D",   None, "water",              50, True,  _GEN, "设施", "Facilities"),
    ("D1",  "D",  "water",             100, True,  _URG, "堤岸坍塌", "Collapse of dike or bank"),
    ("D2",  "D",  "water",              50, True,  _GEN, "水闸、泵站", "Sluice or pump"),
    ("D3",  "D",  None,                 30, True,  _GEN, "公示牌", "Signboard"),
    ("D4",  "D",  "emergency",          50, True,  _SER, "警示标志、溺水隐患", "Warning sign, risk of drowning"),
    ("D5",  "D",  "water",              30, True,  _GEN, "摄像头、监测设备", "Camera or sensor"),
    ("E",   None, "water",             200, True,  _GEN, "资源与生态", "Resources and ecology"),
    ("E1",  "E",  "water",             100, True,  _GEN, "违法取水", "Illegal abstraction"),
    ("E2",  "E",  "water",             500, True,  _SER, "生态流量不足、断流", "Low ecological flow, drying up"),
    ("E3",  "E",  "agriculture",       200, True,  _SER, "非法捕捞（电、毒、炸）", "Electric, poison or blast fishing"),
    ("E4",  "E",  "forestry",          200, True,  _GEN, "破坏湿地、栖息地", "Harm to wetland or habitat"),
    ("E5",  "E",  "water",             200, True,  _GEN, "水土流失", "Soil erosion"),
    ("F",   None, None,                  0, True,  _GEN, "履职", "Duty"),
    ("F1",  "F",  None,                  0, True,  _GEN, "河长联系不上", "Chief cannot be reached"),
    ("F2",  "F",  None,                  0, True,  _GEN, "虚假办结", "False closure"),
    ("F3",  "F",  None,                  0, True,  _GEN, "虚假巡河", "Fake patrol"),
    ("Z",   None, None,                  0, True,  _GEN, "建议、感谢、其他", "Advice, thanks, other"),
)  # fmt: skip

CATEGORIES: dict[str, Category] = {
    code: Category(code, parent, department, radius_m, public, severity, Text(zh, en))
    for code, parent, department, radius_m, public, severity, zh, en in _ROWS
}
"""Every row by its code, headings before what they head."""

_HEADINGS = frozenset(row.parent for row in CATEGORIES.values() if row.parent)


def is_heading(code: str) -> bool:
    """Tell whether `code` only groups other categories, so that no issue may have it."""
    return code in _HEADINGS


def category_of(code: str, *, public_caller: bool = False, field: str = "category") -> Category:
    """Return the category that an issue may have under `code`.

    Raises `Invalid` with an error at `field` when there is none, when it is a heading (its parts are named), or when a
    public caller asks for one that is not public.
    """
    row = CATEGORIES.get(code)
    if row is None or (public_caller and not row.public):
        words = Text("没有这个问题类别：{code}", "There is no such category: {code}").format(code=code)
    elif is_heading(code):
        children = [row for row in CATEGORIES.values() if row.parent == code]
        parts = Text("；".join(f"{row.code} {row.name.zh}" for row in children), "; ".join(f"{row.code} {row.name.en}" for row in children))
        words = Text("{code} 只是大类，请选择：{parts}", "{code} is a heading; choose one of {parts}").format(
            code=code, parts=parts
        )
    else:
        return row
    raise Invalid(words, errors={field: [words]})
