"""What districts write in Chinese in their own registers: headings of columns, and words for fixed values. Pure."""

import re
import unicodedata
from collections.abc import Iterable

from patrol.foundation.texts import Text
from patrol.people.departments import DEPARTMENTS
from patrol.people.permissions import Role

# The columns that name another register's code come first: "河段编码" is a board's reach, and a reach's own code.
HEADINGS: dict[str, tuple[str, ...]] = {
    "water_body_code": ("所属水体编码", "所属河流编码", "所属河湖编码", "水体编码", "河流编码", "河湖编码"),
    "region_code": ("所属行政区代码", "所属行政区划代码", "行政区代码", "行政区划代码"),
    "reach_code": ("所属河段编码", "责任河段编码", "河段编码"),
    "parent_code": ("上级编码", "上级代码", "上级行政区划代码"),
    "code": ("编码", "代码", "编号", "行政区代码", "行政区划代码", "水体编码", "河流编码", "河湖编码", "河段编码", "公示牌编号"),
    "name": ("名称", "姓名", "行政区名称", "水体名称", "河流名称", "河湖名称", "河段名称"),
    "level": ("级别", "层级"),
    "kind": ("类型", "水体类型"),
    "target_class": ("目标水质", "水质目标"),
    "bank": ("岸别",),
    "tolerance_m": ("容差", "容差(米)", "容差（米）"),
    "username": ("用户名", "账号", "登录名"),
    "phone": ("电话", "手机", "手机号", "联系电话"),
    "roles": ("角色",),
    "title": ("职务", "河长职务"),
    "department": ("部门", "责任单位"),
    "password": ("密码", "初始密码"),
    "valid_from": ("任职日期", "任职起始日期", "开始日期", "生效日期"),
    "former_valid_from": ("原任职日期", "更正前任职日期"),
    "valid_to": ("离任日期", "任职截止日期", "结束日期", "失效日期"),
    "latitude": ("纬度",),
    "longitude": ("经度",),
}
"""Column → the headings under which it is found besides its English name."""

WORDS: dict[str, dict[str, str]] = {
    "level": {
        "省级": "province", "省": "province", "市级": "city", "市": "city", "县级": "county", "县": "county", "区": "county",
        "区级": "county", "乡镇级": "township", "乡": "township", "镇": "township", "街道": "township", "乡级": "township",
        "镇级": "township", "乡镇": "township", "村级": "village", "村": "village", "社区": "village",
    },
    "kind": {
        "河流": "river", "河道": "river", "湖泊": "lake", "水库": "reservoir", "小微水体": "small", "沟渠": "small", "池塘": "small",
    },
    "bank": {"两岸": "both", "双岸": "both", "左岸": "left", "右岸": "right"},
    "roles": {
        "民间河长": Role.CITIZEN_CHIEF, "巡河员": Role.PATROLLER, "河道专管员": Role.PATROLLER, "河长": Role.CHIEF, "湖长": Role.CHIEF,
        "河长办": Role.OFFICE, "部门": Role.HANDLER, "成员单位": Role.HANDLER, "督查": Role.SUPERVISOR, "督察员": Role.SUPERVISOR,
        "管理员": Role.ADMIN, "审计员": Role.AUDITOR,
        # The level of a chief is that of the region and the reaches, which other columns and files say.
        **{f"{level}{post}": Role.CHIEF for level in ("总", "省级", "市级", "县级", "区级", "乡级", "镇级", "乡镇级", "村级") for post in ("河长", "湖长")},
    },
    "department": {department.name.zh: code for code, department in DEPARTMENTS.items()},
}
"""Column → what its cells may say instead of the code; the first word of each code is the one that faults name."""

# What clerks keep beside the register for themselves: a running number, and remarks.
ASIDES = frozenset({"序号", "备注", "说明", "no", "no.", "remark", "remarks", "note", "notes"})
# 名称(必填), 级别*, 【选填】电话: how templates mark what has to be filled.
_MARKED = re.compile(r"[\[(【](?:(?:非?必|选|可选)[填录]?项?|可不填|required|optional)[\])】]|[*★※]")


def tidied(heading: str) -> str:
    """Return a heading without what templates and typing put into it: full-width forms, blanks, marks of what must be filled."""
    return _MARKED.sub("", "".join(unicodedata.normalize("NFKC", heading).split()).lower()).lstrip("'").rstrip(":")


_TIDY_HEADINGS = {column: frozenset(map(tidied, said)) for column, said in HEADINGS.items()}


def roles_in_words() -> Text:
    """Return all roles by their Chinese word and their code."""
    words = {role: word for word, role in reversed(WORDS["roles"].items())}
    return Text("、".join(f"{words[role]}（{role}）" for role in Role), ", ".join(f"{role} ({words[role]})" for role in Role))


def column_of(heading: str, columns: frozenset[str]) -> str:
    """Return the one of `columns` that a heading means, or the heading as it is."""
    plain = tidied(heading)
    if plain in columns:
        return plain
    return next((column for column, said in _TIDY_HEADINGS.items() if column in columns and plain in said), heading)


def is_aside(heading: str) -> bool:
    """Tell whether a heading is that of a column which clerks keep for themselves."""
    return tidied(heading) in ASIDES


def column_in_words(column: str, columns: frozenset[str]) -> Text:
    """Return how a column is called: in Chinese by its first heading that means it among `columns`."""
    if column == "geometry":
        return Text("图形（geometry）", column)
    said = (heading for heading in HEADINGS.get(column, ()) if column_of(heading, columns) == column)
    return Text(next(said, column), column)


def values_in_words(column: str, values: Iterable[str]) -> Text:
    """Return what may stand in a column: its Chinese words where it has some, and the codes."""
    codes, words = list(values), {code: word for word, code in reversed(WORDS.get(column, {}).items())}
    return Text("、".join(words.get(code, code) for code in codes), ", ".join(codes))


def in_code(column: str, value: str) -> str:
    """Return the code that a Chinese word of this column stands for, or the value as it is."""
    return WORDS.get(column, {}).get(value, value)
