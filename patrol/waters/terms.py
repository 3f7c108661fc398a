"""The fixed words of the registers: levels of administration, banks, kinds and classes of water, titles of chiefs."""

import re

from patrol.foundation.texts import Text

LEVEL_NAME = {
    "province": Text("省级", "provincial"), "city": Text("市级", "city"), "county": Text("县级", "county"),
    "township": Text("乡镇级", "township"), "village": Text("村级", "village"),
}  # fmt: skip
"""The levels of administration, the highest first, as people call them."""
LEVELS = tuple(LEVEL_NAME)
BANKS = ("both", "left", "right")
KINDS = ("river", "lake", "reservoir", "small")
# Surface water classes of GB 3838-2002; everything worse than V is no target.
TARGET_CLASSES = ("I", "II", "III", "IV", "V")

# Posts beside a chief: they help him, and do not answer for the reach. A title that stands in no list is a chief's own,
# since districts write "village chief" in many ways.
AIDE_TITLES = ("contact", "police_chief", "procurator", "联系人", "联系单位", "河道警长", "检察长")
DEPUTY_TITLES = ("deputy", "deputy_chief")
# 副河长, 副总河长, 镇级副河长, 河长（副）, 副职, 副. A 副镇长 or 副书记 is an official's own rank: whoever is appointed under it is chief.
DEPUTY = r"副(?:[^、，,;；/（(长记任兼]*[河湖]|职|手|\s*$|\s*[）)])"
"""What in a title names a deputy, as an expression that both engines and Python understand."""
_CHIEF, _DEPUTY = Text("{level}河长", "River chief{level}"), Text("{level}副河长", "Deputy river chief{level}")
_POST_NAME = {
    "chief": _CHIEF, "deputy": _DEPUTY, "deputy_chief": _DEPUTY, "contact": Text("联系人", "Contact"),
    "police_chief": Text("河道警长", "River police chief"), "procurator": Text("检察长", "Procurator"),
}  # fmt: skip
# A chief is an official by appointment (DOMAIN, glossary): volunteers, wardens and departments hold the posts beside him only.
NO_CHIEF = Text(
    "{name} 没有河长（chief）角色，不能任“{title}”：请先在人员中加上该角色；联系人、河道警长等协助职务不需要",
    "{name} does not have the role chief and cannot be {title}: give the account that role first; posts beside a chief (contact, police_chief, procurator) need none",
)


def answers_for_reach(title: str) -> bool:
    """Tell whether a title is one of a chief or a deputy, and no post beside them."""
    return title not in AIDE_TITLES


def is_deputy(title: str) -> bool:
    """Tell whether a title names a deputy, who answers only where there is no chief proper."""
    return re.search(DEPUTY, title) is not None or title.lower() in DEPUTY_TITLES


def is_chief_proper(title: str) -> bool:
    """Tell whether a title is a chief's own: no deputy's, and no post beside them."""
    return answers_for_reach(title) and not is_deputy(title)


def post_name(title: str, level: str | None = None) -> Text:
    """Return what people call the post of an appointment, on a reach of `level` if told; a title in a district's own words stays as it is."""
    name = _POST_NAME.get(title.lower())
    if name is None:
        return Text(title, title)
    of_level = LEVEL_NAME.get(level or "", Text("", ""))
    return name.format(level=Text(of_level.zh, f" ({of_level.en})" if of_level.en else ""))
