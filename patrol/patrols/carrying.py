"""Who carried which device: positions that an app made up, one person in two places, one phone for two people. Pure."""

import numpy as np

from patrol.foundation.geometry import Floats
from patrol.foundation.lengths import length
from patrol.foundation.texts import Text
from patrol.patrols.amounts import lasting
from patrol.patrols.facts import DeviceUse, OtherPatrol, PatrolFacts
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.motion import local_metres, usable_fixes
from patrol.patrols.seen import Seen, Severity
from patrol.patrols.track import Track
from patrol.patrols.window import in_ms

_NOT_APART = Text(
    "同一人另有一次巡河与此重叠 {together_s}，没有轨迹表明两地相距超过 {overlap_m}",
    "Another patrol of the same person overlaps by {together_s}; no track tells of places more than {overlap_m} apart",
)


def mocked(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Fixes that the device itself calls made up. Those about which it says nothing (-1) count neither way.

    A trusted receiver explains its own fixes, and none that came by another way.
    """
    track, trusted = (facts.track, False) if facts.untrusted is None else (facts.untrusted, True)
    if not (track.mock == 1).any():
        return _told_of(facts.track, facts, policy, Severity.INFO) if trusted else None
    return _told_of(track, facts, policy, None)


def _told_of(track: Track, facts: PatrolFacts, policy: IntegrityPolicy, severity: Severity | None) -> Seen | None:
    count, known = int((track.mock == 1).sum()), int((track.mock >= 0).sum())
    if not count:
        return None
    at_check_ins = sum(_mostly_mock(track, in_ms(check_in.recorded_at), policy) for check_in in facts.check_ins)
    evidence = {"fixes": count, "percent": round(100 * count / known, 1), "check_ins": at_check_ins, "trusted_receiver": severity is not None}
    grave = Severity.HIGH if count > policy.mock_share_high * known or at_check_ins else Severity.MEDIUM
    return Seen(severity or grave, evidence)


def _mostly_mock(track: Track, at_ms: int, policy: IntegrityPolicy) -> bool:
    around_ms = round(policy.mock_near_check_in_s * 1000)
    mock = track.between(at_ms - around_ms, at_ms + around_ms).mock
    return bool(2 * (mock == 1).sum() > (mock >= 0).sum())


def in_two_places(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Another patrol of the same person at the same time: grave when both tracks tell of places far apart."""
    found = []
    for other in facts.overlapping:
        together_s = (min(facts.end, other.ended_at or facts.now) - max(facts.started_at, other.started_at)).total_seconds()
        if together_s > policy.overlap_s:
            apart_s, apart_m = _apart(facts, other, policy)
            # Each moment compared stands for a whole step: of a time that is no multiple of it they would make more.
            found.append((min(apart_s, together_s), together_s, apart_m, str(other.id)))
    if not found:
        return None
    apart_s, together_s, apart_m, patrol_id = max(found)
    evidence = {"patrol_id": patrol_id, "together_s": round(together_s), "apart_s": round(apart_s), "apart_m": round(apart_m)}
    if not apart_s:
        return Seen(Severity.SOFT, evidence, _NOT_APART.format(together_s=lasting(together_s), overlap_m=length(policy.overlap_m)))
    return Seen(Severity.HIGH if apart_s > policy.overlap_s else Severity.SOFT, evidence)


_GRID_S, _NEAR_S = 30.0, 60.0
_AROUND = round(_NEAR_S / _GRID_S)


def _apart(facts: PatrolFacts, other: OtherPatrol, policy: IntegrityPolicy) -> tuple[float, float]:
    """Return for how many seconds both tracks are farther apart than the policy allows, and the median metres then.

    Places are compared every 30 s where each track has fixes less than a minute before and after.
    """
    ours, theirs = (usable_fixes(track, policy) for track in (facts.track, other.track))
    if not len(ours) or not len(theirs):
        return 0.0, 0.0
    first, last = (f(ours.recorded_ms[i], theirs.recorded_ms[i]) / 1000 for f, i in ((max, 0), (min, -1)))
    # Only near fixes anything is compared: one may be of another year.
    near_fixes = (ours.recorded_ms / 1000 - first) // _GRID_S + np.arange(-_AROUND, _AROUND + 2)[:, None]
    grid = first + _GRID_S * np.unique(near_fixes)
    grid = grid[(grid >= first) & (grid <= last)]
    if not len(grid):
        return 0.0, 0.0
    near = float(np.median(ours.latitude))
    (here, sure_m), (there, other_sure_m) = (_places(track, grid, near, policy) for track in (ours, theirs))
    apart_m = np.hypot(*(here - there).T) - sure_m - other_sure_m
    far = apart_m[apart_m > policy.overlap_m]
    return len(far) * _GRID_S, float(np.median(far)) if len(far) else 0.0


def _places(track: Track, grid: Floats, near: float, policy: IntegrityPolicy) -> tuple[Floats, Floats]:
    """Return the metres (n, 2) at moments of the grid, NaN where the track is silent, and the accuracies there."""
    at_s, xy = track.recorded_ms / 1000.0, local_metres(track.latitude, track.longitude, near)
    after = np.clip(np.searchsorted(at_s, grid), 0, len(at_s) - 1)
    before = np.maximum(after - 1, 0)
    silent = (np.abs(at_s[after] - grid) > _NEAR_S) | (np.abs(grid - at_s[before]) > _NEAR_S)
    places = np.column_stack([np.interp(grid, at_s, xy[:, 0]), np.interp(grid, at_s, xy[:, 1])])
    places[silent] = np.nan
    accuracy_m = np.where(np.isfinite(track.accuracy_m), track.accuracy_m, policy.assumed_accuracy_m)
    return places, np.maximum(accuracy_m[before], accuracy_m[after])


_SAME_NAME = Text(
    "近期另有 {accounts} 个账号使用同一名称的设备，其中与本次重叠 {together_s}；名称可能只是型号",
    "{accounts} used a device of the same name lately, for {together_s} at the same time; it may be no more than its model's name",
)
_SOME_TIME = Text("同一设备近期另有 {accounts} 个账号使用，时间不详", "{accounts} used the device lately, it is not known when")
ONE_PHONE = (
    Text("交接班共用手机", "A phone handed over at the change of shift"),
    Text("代为巡河：应登记委托", "Patrolling for another: a delegation is the right way"),
)
"""What explains honestly that two accounts used the very same phone."""


def shared(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """The same device under other accounts: at the same time, just before or after, or on the same day.

    A delegation that is on record explains it. That only the name is the same is never more than soft.
    """
    uses = [(_away_s(facts, use), use) for use in facts.device_uses if not use.delegated]
    uses = [(away_s, use) for away_s, use in uses if away_s <= policy.shared_device_soft_s]
    if not uses:
        return _shared_some_time(facts)
    nearest_s, nearest = min(uses, key=lambda pair: (pair[0], str(pair[1].person_id)))
    severity = Severity.MEDIUM if nearest_s <= policy.shared_device_medium_s else Severity.SOFT
    if nearest_s < -policy.overlap_s:
        severity = Severity.HIGH
    accounts = len({use.person_id for _, use in uses})
    evidence = {"accounts": accounts, "apart_s": round(max(0.0, nearest_s)), "together_s": round(max(0.0, -nearest_s)),
                "person_id": str(nearest.person_id), "patrol_id": None if nearest.patrol_id is None else str(nearest.patrol_id),
                "by_name": nearest.by_name}  # fmt: skip
    return Seen(Severity.SOFT, evidence, _SAME_NAME) if nearest.by_name else Seen(severity, evidence, innocent=ONE_PHONE)


def _shared_some_time(facts: PatrolFacts) -> Seen | None:
    """Other accounts of which only is known that they used the device lately: as if at the other end of the day."""
    known = {use.person_id for use in facts.device_uses}
    users = sorted(str(person_id) for person_id in facts.device_users if person_id not in known)
    evidence = {"accounts": len(users), "apart_s": None, "together_s": 0, "by_name": False}
    return Seen(Severity.SOFT, evidence | {"person_id": users[0], "patrol_id": None}, _SOME_TIME, ONE_PHONE) if users else None


def _away_s(facts: PatrolFacts, use: DeviceUse) -> float:
    """Return the seconds between the patrol and the use; negative by as much as they overlap."""
    return (max(facts.started_at, use.from_at) - min(facts.end, use.to_at)).total_seconds()
