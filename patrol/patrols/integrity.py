"""The integrity rules: one table. A rule finds, a person judges; nothing is refused or altered on suspicion.

Each row says what the rule looks at, the gravest it can say, the thresholds it is judged by (all in `IntegrityPolicy`),
what people read, and what would explain it innocently. What is unknown (a device that says nothing of mocking, a photo
without Exif, a fix without accuracy) never counts against anybody.
"""

from collections.abc import Callable
from dataclasses import dataclass

from patrol.foundation.texts import Text
from patrol.patrols import carrying, clocks, motion, photo_claims, presence, replay
from patrol.patrols.amounts import in_words
from patrol.patrols.facts import Finding, PatrolFacts
from patrol.patrols.integrity_policy import DEFAULT_POLICY, IntegrityPolicy
from patrol.patrols.seen import Seen, Severity

VERSION = "integrity-7"
MISLABELLED, SHARED_DEVICE = "datum_mislabelled", "shared_device"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row. `says` has placeholders named as the evidence, which bring units and nouns along (`in_words`); `explained_by` are codes that reduce it to `info`."""

    code: str
    name: Text
    looks_at: Text
    severity: Severity
    check: Callable[[PatrolFacts, IntegrityPolicy], Seen | None]
    thresholds: tuple[str, ...]
    says: Text
    innocent: tuple[Text, ...]
    explained_by: tuple[str, ...] = ()
    version: str = "1"

    def find(self, facts: PatrolFacts, policy: IntegrityPolicy) -> Finding | None:
        """Return the finding of this rule alone, or None."""
        seen = self.check(facts, policy)
        if seen is None:
            return None
        return Finding(
            self.code, seen.severity.value, (seen.says or self.says).format(**in_words(seen.evidence)), seen.innocent or self.innocent, seen.evidence,
            {**policy.of(self.thresholds), **seen.thresholds}, f"{VERSION}.{self.version}/{policy.version}",
        )  # fmt: skip


RULES: tuple[Rule, ...] = (
    Rule(
        code="mock_location", name=Text("模拟定位", "Mock location"), severity=Severity.HIGH, check=carrying.mocked,
        looks_at=Text("定位点的模拟标志", "the mock flag of the fixes"), thresholds=("mock_share_high", "mock_near_check_in_s"),
        says=Text("设备称 {fixes} 个定位点（{percent}%）由应用模拟，其中 {check_ins} 处为打卡时刻",
                  "The device says that an app made up {fixes} ({percent} %), at {check_ins}"),
        innocent=(Text("使用外接高精度接收机：请河长办将该设备登记为可信接收机", "An external receiver: the office can register the device as trusted"),),
    ),
    Rule(
        code="speed", name=Text("速度过快", "Too fast"), severity=Severity.MEDIUM, check=motion.too_fast,
        looks_at=Text("扣除精度后的一分钟平均速度", "speeds over a minute, less the accuracies"),
        thresholds=("walk_soft_mps", "walk_hard_mps", "ride_soft_mps", "ride_hard_mps", "speed_window_s", "speed_longest_window_s"),
        says=Text("连续 {longest_s}超过 {limit_mps} 米/秒，中位 {peak_mps} 米/秒",
                  "Above {limit_mps} m/s for {longest_s} on end, {peak_mps} m/s in the median"),
        innocent=(Text("中途骑车或乘船而未更改方式", "A leg by bicycle or boat that was not declared"), Text("跑步", "Running")),
    ),
    Rule(
        code="teleport", name=Text("位置突变", "Teleport"), severity=Severity.HIGH, check=motion.teleported,
        looks_at=Text("相邻定位点或打卡之间的跳跃", "jumps between fixes or check-ins"),
        thresholds=("teleport_m", "teleport_mps", "teleport_return_s", "teleport_least_fixes"),
        says=Text("位置有 {jumps} 次突变，最远 {distance_m}只用 {seconds}", "The position made {jumps}, the farthest {distance_m} in {seconds}"),
        innocent=(Text("信号恢复时首批定位来自基站", "After a loss of signal the first fixes came from the network"),),
    ),
    Rule(
        code="mode", name=Text("方式不符", "Another mode"), severity=Severity.HIGH, check=motion.carried,
        looks_at=Text("申报步行时五分钟的中位速度，以及以步行速度覆盖的长度",
                      "median speed of five minutes of a declared walk, and what of the reaches was covered at a walker's pace"),
        thresholds=("mode_median_mps", "mode_window_s", "speed_window_s", "mode_driven_m", "mode_driven_share", "mode_little_share", "walk_hard_mps"),
        says=Text("申报为步行，但五分钟内的中位速度达 {median_mps} 米/秒", "Declared as a walk, but the median speed of five minutes was {median_mps} m/s"),
        innocent=(Text("忘记把方式改为车辆或船", "The mode was not changed to vehicle or boat"), Text("回程乘车时忘记结束记录", "The recorder was left on when driving home")),
    ),
    Rule(
        code="clock_future", name=Text("时间超前", "Time ahead"), severity=Severity.MEDIUM, check=clocks.ahead,
        looks_at=Text("记录时间与接收时间", "times of recording and of receipt"), thresholds=("clock_future_s",),
        says=Text("记录时间比服务器接收时间晚 {ahead_s}", "Recorded {ahead_s} after the server received it"),
        innocent=(Text("手机时区或时钟设置有误", "The phone's zone or clock is set wrongly"),),
    ),
    Rule(
        code="impossible_end", name=Text("结束时间不可能", "Impossible end"), severity=Severity.INFO, check=clocks.ended_impossibly,
        looks_at=Text("所报结束时间与接收时间、开始时间", "the told end, its receipt, and the start"), thresholds=(),
        says=Text("所报结束时间 {told} 不可能，按 {counted} 计", "The told end, {told}, cannot be; {counted} counts"),
        innocent=(Text("手机时钟有误", "The phone's clock is wrong"), Text("填错了时间", "A mistyped time")),
    ),
    Rule(
        code="clock_skew", name=Text("时钟偏差", "Clock off"), severity=Severity.HIGH, check=clocks.skewed,
        looks_at=Text("发送时间与接收时间", "times of sending and of receipt"),
        thresholds=("clock_skew_noted_s", "clock_skew_high_s", "clock_zone_slack_s", "clock_agree_s"),
        says=Text("设备时钟与服务器相差 {skew_s}", "The device's clock differs from the server's by {skew_s}"),
        innocent=(Text("时区设置有误", "A wrong zone"), Text("时钟电池耗尽", "The clock's battery was empty"), Text("消息在途过久", "The message was long under way")),
    ),
    Rule(
        code="clock_moved", name=Text("时钟被调整", "Clock moved"), severity=Severity.HIGH, check=clocks.moved,
        looks_at=Text("多次上传之间时钟偏差的变化", "how the clock's error changes between deliveries"),
        thresholds=("clock_moved_s", "clock_agree_s", "clock_skew_noted_s"),
        says=Text("巡河途中设备时钟被调整 {step_s}", "The device's clock was moved by {step_s} on patrol"),
        innocent=(Text("网络自动校时", "The network set the clock right"), Text("跨时区", "Another zone was entered")),
    ),
    Rule(
        code="overlap", name=Text("同时两处", "In two places"), severity=Severity.HIGH, check=carrying.in_two_places,
        looks_at=Text("同一人同时进行的其他巡河", "other patrols of the same person at the same time"), thresholds=("overlap_s", "overlap_m"),
        says=Text("同一人另有一次巡河与此重叠 {together_s}，其中 {apart_s}两地相距约 {apart_m}",
                  "Another patrol of the same person overlaps by {together_s}; for {apart_s} they were about {apart_m} apart"),
        innocent=(Text("账号被同事借用：应使用委托", "A colleague used the account: a delegation is the right way"),
                  Text("忘记结束上一次巡河", "The patrol before was not ended")),
    ),
    Rule(
        code="too_clean", name=Text("数据过于整齐", "Too clean"), severity=Severity.HIGH, check=replay.too_clean,
        looks_at=Text("精度、海拔、速度是否恒定，轨迹有无噪声", "constant accuracy, altitude, speed; a way without noise"),
        thresholds=("clean_least_fixes", "clean_step_s", "clean_roughness_m", "clean_on_line_m"),
        says=Text("{fixes} 个定位点缺少应有的误差（粗糙度 {roughness_m}）", "{fixes} without the errors that receivers make (roughness {roughness_m})"),
        innocent=(Text("应用对数值取整", "The app rounds its values"), Text("导入的是规划路线而非实测轨迹", "A planned route was uploaded, not a recorded track")),
    ),
    Rule(
        code="replayed_track", name=Text("轨迹重放", "Replayed track"), severity=Severity.HIGH, check=replay.replayed,
        looks_at=Text("以往轨迹的坐标与相对时间", "coordinates and relative times of earlier tracks"),
        thresholds=("replay_m", "replay_least_m", "replay_share", "replay_identical_share", "replay_together_s"),
        says=Text("轨迹与以往一次巡河 {percent}% 相同", "{percent} % of the track is that of an earlier patrol"),
        innocent=(Text("同一记录因应用故障被上传两次", "A fault of the app uploaded one recording twice"),),
    ),
    Rule(
        code="photo_duplicate", name=Text("照片重复", "Same photo"), severity=Severity.HIGH, check=photo_claims.duplicated,
        looks_at=Text("照片摘要", "the digests of the photos"), thresholds=(),
        says=Text("{photos} 张照片与先前的照片是同一文件", "{photos} with the same file as an earlier one"),
        innocent=(Text("误选了先前的照片", "An earlier photo was picked by mistake"),),
    ),
    Rule(
        code="photo_alike", name=Text("照片相似", "Photo alike"), severity=Severity.SOFT, check=photo_claims.alike,
        looks_at=Text("照片的感知哈希", "the likeness of the photos"), thresholds=("photo_alike_bits", "photo_alike_days"),
        says=Text("{photos} 张照片与以往另一天的照片几乎一样（相差 {bits} 位）", "{photos} nearly like one of another day ({bits} bits apart)"),
        innocent=(Text("在同一位置拍摄同一座堰坝", "The same weir from the same spot"),),
    ),
    Rule(
        code="exif_place", name=Text("照片位置不符", "Photo elsewhere"), severity=Severity.MEDIUM, check=photo_claims.elsewhere,
        looks_at=Text("照片内的位置", "the position in the photo"), thresholds=("exif_place_m", "exif_place_accuracies", "exif_place_medium_m", "exif_time_s"),
        says=Text("照片位置距打卡位置 {distance_m}", "The photo's position is {distance_m} from the check-in"),
        innocent=(Text("相机写入的是缓存的旧位置", "The camera wrote an old position"),), explained_by=(MISLABELLED,),
    ),
    Rule(
        code="exif_time", name=Text("照片时间不符", "Photo of another time"), severity=Severity.SOFT, check=photo_claims.at_another_time,
        looks_at=Text("照片内的时间", "the time in the photo"), thresholds=("exif_time_s",),
        says=Text("照片时间与打卡时间相差 {off_s}", "The photo's time is {off_s} from the check-in"),
        innocent=(Text("用另一台相机拍摄，其时钟不准", "Another camera whose clock is off"),),
    ),
    Rule(
        code="photo_edited_or_gallery", name=Text("相册或编辑照片", "From the gallery or edited"), severity=Severity.SOFT,
        check=photo_claims.not_from_the_camera, looks_at=Text("照片来源与软件", "origin and software of the photos"), thresholds=(),
        says=Text("{photos} 张照片来自相册或经软件编辑", "{photos} from the gallery or edited"),
        innocent=(Text("先用系统相机拍摄再选取", "Taken with the phone's own camera first"),),
    ),
    Rule(
        code="photo_older_than_patrol", name=Text("照片早于巡河", "Photo older than the patrol"), severity=Severity.HIGH, check=photo_claims.older,
        looks_at=Text("照片拍摄时间与巡河开始时间", "when photos were taken and the patrol began"), thresholds=("photo_before_s", "photo_before_high_s"),
        says=Text("照片摄于巡河开始前 {before_s}", "A photo was taken {before_s} before the patrol began"),
        innocent=(Text("出发前的会商照片", "A picture of the briefing"), Text("相机时钟不准", "The camera's clock is off")),
    ),
    Rule(
        code="outside_geofence", name=Text("打卡在河段外", "Check-in away from the reach"), severity=Severity.MEDIUM, check=presence.outside_fence,
        looks_at=Text("打卡位置到河段的距离", "distance of the check-ins from the reach"), thresholds=("geofence_m", "geofence_best_fix_s"),
        says=Text("{outside} 次打卡在河段外，{uncertain} 次无法判定；最远 {distance_m}（精度 {accuracy_m}）",
                  "Check-ins outside: {outside}, uncertain: {uncertain}; the farthest {distance_m} off (accurate to {accuracy_m})"),
        innocent=(Text("峡谷中的多径误差", "Reflections in a valley"), Text("登记的河段线不准", "The register's line is inexact")), explained_by=(MISLABELLED,),
    ),
    Rule(
        code="check_in_off_track", name=Text("打卡不在轨迹上", "Check-in off the track"), severity=Severity.MEDIUM, check=presence.off_the_track,
        looks_at=Text("打卡前后三分钟的轨迹", "the track within minutes of the check-ins"), thresholds=("off_track_m", "off_track_s"),
        says=Text("{check_ins} 次打卡不在轨迹上，相距 {distance_m}", "{check_ins} off the track, {distance_m} away"),
        innocent=(Text("轨迹与打卡来自两台设备", "Track and check-ins come from two devices"),),
    ),
    Rule(
        code="checkpoint_missed", name=Text("抽查点位未证实", "Checkpoint missed"), severity=Severity.MEDIUM, check=presence.checkpoints_missed,
        looks_at=Text("随机抽中的点位及其答复与照片", "the places drawn at random, their answers and photos"), thresholds=(),
        says=Text("抽中 {drawn} 个点位，{missed} 个没有证实到达，其中 {elsewhere} 个答复位置不符",
                  "Places drawn: {drawn}; not shown: {missed}, of these answered from elsewhere: {elsewhere}"),
        innocent=(Text("答复或照片还在手机上", "The answer or its photo is still on the phone"),
                  Text("点位无法到达而未说明", "The place could not be reached, and that was not said")), explained_by=(MISLABELLED,),
    ),
    Rule(
        code="gap", name=Text("记录中断", "Gap"), severity=Severity.INFO, check=presence.gaps,
        looks_at=Text("定位点之间的时间与距离", "time and way between fixes"), thresholds=("gap_s", "gap_m", "speed_window_s"),
        says=Text("记录中断 {gaps} 次，最长 {longest_s}", "{gaps} in the recording, the longest {longest_s}"),
        innocent=(Text("无信号", "No signal"), Text("系统省电关闭了记录", "The phone's battery saver stopped the recorder")),
    ),
    Rule(
        code="short_coverage", name=Text("覆盖不足", "Short coverage"), severity=Severity.INFO, check=presence.short,
        looks_at=Text("河段覆盖长度", "covered length of the reaches"), thresholds=("planned_share",),
        says=Text("河段 {length_m}中至多覆盖 {high_m}（{percent}%），距计划的 {planned_percent}%（{planned_m}）还差 {missing_m}",
                  "At most {high_m} of {length_m} were covered ({percent} %), {missing_m} short of the {planned_percent} % that are planned ({planned_m})"),
        innocent=(Text("分几次走完", "The rest is walked another time"), Text("部分河岸无法通行", "Part of the bank cannot be walked")),
    ),
    Rule(
        code="perfunctory", name=Text("走过场", "Perfunctory"), severity=Severity.SOFT, check=presence.perfunctory,
        looks_at=Text("用时与覆盖长度", "time taken and covered length"), thresholds=("perfunctory_share", "strolling_mps", "least_coverage_share"),
        says=Text("{duration_s}覆盖 {covered_m}，步行约需 {strolling_s}",
                  "{covered_m} in {duration_s}; strolling takes about {strolling_s}"),
        innocent=(Text("骑车巡河而未申报", "By bicycle, not declared"),),
    ),
    Rule(
        code=SHARED_DEVICE, name=Text("设备共用", "Shared device"), severity=Severity.HIGH, check=carrying.shared,
        looks_at=Text("同一设备上的其他账号；没有设备编号时只看名称，仅供参考", "other accounts on the same device; without its id only the name, as a mere hint"),
        thresholds=("shared_device_soft_s", "shared_device_medium_s", "overlap_s"),
        says=Text("同一设备近期另有 {accounts} 个账号使用，其中与本次重叠 {together_s}",
                  "{accounts} used the device lately, for {together_s} at the same time"),
        innocent=(Text("应用只报型号：两部同型号的手机", "The app tells only the model: two phones of one model"), *carrying.ONE_PHONE),
    ),
    Rule(
        code=MISLABELLED, name=Text("坐标系标错", "Datum mislabelled"), severity=Severity.INFO, check=presence.mislabelled,
        looks_at=Text("轨迹到河段的距离，原样与换算后", "distance of the track to the reach, as sent and as repaired"), thresholds=(),
        says=Text("定位似为 {datum} 而标作 wgs84：换算后到河段的中位距离由 {median_sent_m}变为 {median_repaired_m}，建议更正",
                  "The positions seem to be {datum}, sent as wgs84: repaired, the median distance to the reach is {median_repaired_m} instead of {median_sent_m}"),
        innocent=(Text("应用的故障，与巡河人无关", "A fault of the app, not of the person"),),
    ),
    Rule(
        code="sparse_points", name=Text("定位稀疏", "Sparse points"), severity=Severity.INFO, check=presence.sparse,
        looks_at=Text("移动时每分钟的定位点", "fixes a minute while moving"), thresholds=("least_fixes_per_minute", "moving_mps", "most_gap_s"),
        says=Text("移动时每分钟只有 {per_minute} 个定位点", "Fixes a minute while moving: only {per_minute}"),
        innocent=(Text("低电量省电", "A low battery"),),
    ),
    Rule(
        code="no_track", name=Text("无可用轨迹", "No usable track"), severity=Severity.INFO, check=presence.trackless,
        looks_at=Text("可用的定位点", "usable fixes"), thresholds=("worst_accuracy_m",),
        says=Text("没有可用的轨迹（收到 {fixes} 个定位点，可用 {usable} 个）", "There is no usable track ({fixes} came, usable: {usable})"),
        innocent=(Text("未授权后台定位", "The app may not locate in the background"), Text("轨迹尚未上传", "The track is still on the phone")),
    ),
)  # fmt: skip
RULE: dict[str, Rule] = {rule.code: rule for rule in RULES}


def examine(facts: PatrolFacts, policy: IntegrityPolicy = DEFAULT_POLICY) -> list[Finding]:
    """Return all findings on a patrol, in the order of the table; each names the version of its rule and policy."""
    found = [finding for rule in RULES if (finding := rule.find(facts, policy)) is not None]
    codes = {finding.code for finding in found}
    return [_explained(finding, codes) for finding in found]


def _explained(finding: Finding, codes: set[str]) -> Finding:
    """Return the finding as `info` where another one explains it, and say which."""
    by = sorted(codes.intersection(RULE[finding.code].explained_by))
    if not by:
        return finding
    return Finding(**(vars(finding) | {"severity": Severity.INFO.value, "evidence": {**finding.evidence, "explained_by": by}}))
