"""What the rule of routing says for its answer, by the code of each reason."""

from patrol.foundation.texts import Text

TEXTS = {
    "accuracy_unknown": Text("没有定位精度，按 {metres} 米估计", "The accuracy is unknown; {metres} m is assumed"),
    "inside": Text("位置在{reach}（{code}）范围内", "The place lies inside {reach} ({code})"),
    "nearest": Text("最近的河段是{reach}（{code}），相距 {metres} 米", "The nearest reach is {reach} ({code}), {metres} m away"),
    "vacant": Text("{reach}（{level}）当日没有河长", "{reach} ({level}) has no chief that day"),
    "chief": Text("由{reach}（{level}）当日的河长（{title}）负责", "The chief of {reach} ({level}) that day answers: {title}"),
    "deputy": Text(
        "{reach}（{level}）当日没有可负责的正职河长（未任命，或账号已停用），由副职代为负责",
        "{reach} ({level}) has no chief proper that day, or one with a disabled account: its deputy answers",
    ),
    "superior": Text("由上级河段{reach}（{level}）当日的河长（{title}）负责", "The superior chief, of {reach} ({level}), answers: {title}"),
    "same_chief": Text(
        "{reaches}的远近相差不超过 {margin} 米，但由同一位河长负责", "{reaches} are equally near (within {margin} m), with one chief"
    ),
    "equally_near": Text("{reaches}的远近相差不超过 {margin} 米，不能确定属于哪一段", "{reaches} are equally near (within {margin} m)"),
    "border": Text("位于行政区或左右岸的交界处，由共同上级裁定", "It is a border or two banks; the common superior decides"),
    "joint": Text("位于两个河段的交接处，由所在地区裁定", "It is where two reaches meet; their region decides"),
    "mouth": Text("位于两个水体的交汇处，由所在地区裁定", "It is where two waters meet; their region decides"),
    "out_of_tolerance": Text(
        "容许距离内没有河段；最近的{reach}（{code}）相距 {metres} 米",
        "No reach is within tolerance; the nearest, {reach} ({code}), is {metres} m away",
    ),
    "nothing_near": Text("附近没有河段", "There is no reach nearby"),
    "office": Text("由{office}河长办受理", "The river chief office of {office} answers"),
    "superior_office": Text("{region}没有河长办，由上级{office}河长办受理", "{region} has no office; that of its superior {office} answers"),
}
