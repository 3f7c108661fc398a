"""What a patrol looks at: the eight groups of the river chiefs' checklist, and what can be said of each."""

from enum import StrEnum

from patrol.foundation.texts import Text

# The groups of the 2018 open interface of the field (河长制巡查内容); each is answered as a whole.
GROUPS: dict[str, Text] = {
    "water": Text("水体：异味、颜色异常", "Water body: smell, unusual colour"),
    "surface": Text("水面：垃圾、油污、死畜禽", "Surface: litter, oil, dead animals"),
    "channel": Text("河道：网箱、淤积、沉船、弃渣", "Channel: cages, silt, wrecks, spoil"),
    "bank": Text("河岸：生活、工业、建筑、农业垃圾", "Bank: domestic, industrial, building and farm waste"),
    "activities": Text("活动：非法捕鱼、采砂", "Activities: illegal fishing, sand mining"),
    "outfalls": Text("排口：直排、晴天出水、异色、新增、无标识", "Outfalls: direct, dry-weather, odd colour, new, unmarked"),
    "signboard": Text("公示牌：缺失、过期、错误、破损", "Signboard: missing, outdated, wrong, damaged"),
    "structures": Text("设施：侵占、违建、故障", "Structures: occupation, illegal building, malfunction"),
}


class Answer(StrEnum):
    """What was found in a group."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    NOT_CHECKED = "not_checked"
