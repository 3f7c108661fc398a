"""The fixed words of the registers: levels of administration, banks, kinds and classes of water, titles of chiefs."""

LEVELS = ("province", "city", "county", "township", "village")
BANKS = ("both", "left", "right")
KINDS = ("river", "lake", "reservoir", "small")
# Surface water classes of GB 3838-2002; everything worse than V is no target.
TARGET_CLASSES = ("I", "II", "III", "IV", "V")

# Posts beside a chief: they help him, and do not answer for the reach. A title that stands in no list is a chief's own,
# since districts write "village chief" in many ways.
AIDE_TITLES = ("contact", "police_chief", "procurator", "联系人", "联系单位", "河道警长", "检察长")
_DEPUTY_TITLES = ("deputy", "deputy_chief")


def is_deputy(title: str) -> bool:
    """Tell whether a title names a deputy, who answers only where there is no chief proper."""
    return "副" in title or title.lower() in _DEPUTY_TITLES
