"""The grounds that a rejection or a refused assignment must name: fixed words, so that nobody is turned away with an excuse."""

from collections.abc import Mapping

from patrol.foundation.texts import Text
from patrol.issues.lifecycle import Verb

GROUNDS: dict[str, Text] = {
    "not_a_water_matter":       Text("不属于河湖问题", "Not a matter of rivers and lakes"),
    "outside_district":         Text("不在本辖区", "Outside the district"),
    "other_authority":          Text("应由其他部门依法处理", "For another authority by law"),
    "no_evidence_found":        Text("现场核查未发现问题", "Nothing found on the spot"),
    "insufficient_information": Text("信息不足，无法核查", "Too little information to check"),
    "duplicate_report":         Text("同一问题已在办理", "The same issue is already being dealt with"),
    "already_rectified":        Text("受理前已整改", "Put right before it was accepted"),
    "lawful_activity":          Text("经核实为合法活动", "Found to be lawful"),
}  # fmt: skip
"""The grounds on which an issue may be rejected, by code."""

DECLINE_GROUNDS: dict[str, Text] = {
    "other_department_by_law": Text("依法属其他部门职责", "By law the duty of another department"),
    "other_reach":             Text("不在本人责任河段", "Not on the reach that I answer for"),
    "other_region":            Text("不在本辖区", "Outside my area"),
    "other_level":             Text("应由上级或下级办理", "For a higher or lower level"),
    "other_owner":             Text("有明确的产权或管护单位", "Another body owns or keeps the place"),
}  # fmt: skip
"""The grounds on which a lead may decline an issue, by code."""

GROUNDS_OF: Mapping[Verb, Mapping[str, Text]] = {Verb.REJECT: GROUNDS, Verb.DECLINE: DECLINE_GROUNDS}
"""The grounds of each step that must bring one."""

GROUND_NAME: Mapping[str, Text] = GROUNDS | DECLINE_GROUNDS
"""What each ground is called, whatever step it belongs to."""
