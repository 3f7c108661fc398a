"""Which role may do what: one enum and one table, the only place where a role becomes a permission."""

from enum import StrEnum

from patrol.foundation.texts import Text


class Role(StrEnum):
    """The roles of the River Chief System that an account can hold."""

    CITIZEN_CHIEF = "citizen_chief"
    PATROLLER = "patroller"
    CHIEF = "chief"
    OFFICE = "office"
    HANDLER = "handler"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One thing that an account may do at all; whether it may do it now and to this row are other questions."""

    SEE_OWN_ACCOUNT = "account:own"
    SEE_PEOPLE = "people:see"
    MANAGE_PEOPLE = "people:manage"
    SEE_WATERS = "waters:see"
    MANAGE_REGISTER = "register:manage"
    PATROL = "patrol:do"
    SEE_PATROLS = "patrol:see"
    JUDGE_PATROLS = "patrol:judge"
    MANAGE_DUTIES = "duty:manage"
    SEE_ISSUES = "issue:see"
    REPORT_ISSUE = "issue:report"
    RECEIVE_ISSUE = "issue:receive"
    DISPATCH_ISSUE = "issue:dispatch"
    HANDLE_ISSUE = "issue:handle"
    REVIEW_ISSUE = "issue:review"
    CLOSE_ISSUE = "issue:close"
    CLOSE_MAJOR_ISSUE = "issue:close_major"
    REOPEN_ISSUE = "issue:reopen"
    SUPERVISE_ISSUE = "issue:supervise"
    EXPORT_ISSUES = "issue:export"
    EXPORT_PATROLS = "patrol:export"
    ADD_PHOTOS = "photo:add"
    SEE_PHOTOS = "photo:see"
    SEE_ORIGINAL_PHOTOS = "photo:original"
    REVEAL_REPORTER = "reporter:reveal"
    SEE_AUDIT = "audit:see"
    MANAGE_NOTIFICATIONS = "notification:manage"
    MANAGE_OUTBOX = "outbox:manage"
    SEE_SPOT_CHECKS = "spot_check:see"
    DO_SPOT_CHECKS = "spot_check:do"
    WATCH = "watch:own"
    SEE_POLICIES = "policy:see"
    MANAGE_POLICIES = "policy:manage"


ROLE_NAME: dict[Role, Text] = {
    Role.CITIZEN_CHIEF: Text("民间河长", "citizen chief"),
    Role.PATROLLER:     Text("巡河员", "patroller"),
    Role.CHIEF:         Text("河长", "river chief"),
    Role.OFFICE:        Text("河长办", "river chief office"),
    Role.HANDLER:       Text("部门承办人", "handler of a department"),
    Role.SUPERVISOR:    Text("督查员", "supervisor"),
    Role.ADMIN:         Text("管理员", "administrator"),
    Role.AUDITOR:       Text("审计员", "auditor"),
}  # fmt: skip
"""What each role is called."""

P = Permission

PERMISSION_NAME: dict[Permission, Text] = {
    P.SEE_OWN_ACCOUNT:      Text("查看和管理自己的账号", "see and manage one's own account"),
    P.SEE_PEOPLE:           Text("查看人员", "see people"),
    P.MANAGE_PEOPLE:        Text("管理人员和账号", "manage people and accounts"),
    P.SEE_WATERS:           Text("查看河湖和河段", "see waters and reaches"),
    P.MANAGE_REGISTER:      Text("维护河湖名录、任职和公示牌", "keep the register of waters, appointments and signboards"),
    P.PATROL:               Text("巡河和打卡", "patrol and check in"),
    P.SEE_PATROLS:          Text("查看巡河", "see patrols"),
    P.JUDGE_PATROLS:        Text("评判巡河的疑点", "judge what was found about patrols"),
    P.MANAGE_DUTIES:        Text("制定巡河任务", "set duties to patrol"),
    P.SEE_ISSUES:           Text("查看问题", "see issues"),
    P.REPORT_ISSUE:         Text("上报问题", "report issues"),
    P.RECEIVE_ISSUE:        Text("受理问题", "take in issues"),
    P.DISPATCH_ISSUE:       Text("派单", "dispatch issues"),
    P.HANDLE_ISSUE:         Text("办理问题", "handle issues"),
    P.REVIEW_ISSUE:         Text("复核问题", "check cures"),
    P.CLOSE_ISSUE:          Text("结案", "close issues"),
    P.CLOSE_MAJOR_ISSUE:    Text("为重大问题签字", "sign for major issues"),
    P.REOPEN_ISSUE:         Text("决定重新办理", "decide on reopening"),
    P.SUPERVISE_ISSUE:      Text("督办问题", "supervise issues"),
    P.EXPORT_ISSUES:        Text("导出问题", "export issues"),
    P.EXPORT_PATROLS:       Text("导出巡河和任务", "export patrols and duties"),
    P.ADD_PHOTOS:           Text("上传照片", "add photos"),
    P.SEE_PHOTOS:           Text("查看照片", "see photos"),
    P.SEE_ORIGINAL_PHOTOS:  Text("查看照片原件", "see original photos"),
    P.REVEAL_REPORTER:      Text("查看反映人的联系方式", "see how to reach who reported"),
    P.SEE_AUDIT:            Text("查看审计记录", "see the audit trail"),
    P.MANAGE_NOTIFICATIONS: Text("管理通知渠道", "manage how people are notified"),
    P.MANAGE_OUTBOX:        Text("管理待发队列", "manage the outbox"),
    P.SEE_SPOT_CHECKS:      Text("查看抽查", "see spot checks"),
    P.DO_SPOT_CHECKS:       Text("安排和完成抽查", "order and do spot checks"),
    P.WATCH:                Text("管理自己的关注清单", "keep a watch list of one's own"),
    P.SEE_POLICIES:         Text("查看政策", "see policies"),
    P.MANAGE_POLICIES:      Text("管理政策", "manage policies"),
}  # fmt: skip
"""What each permission allows, as a sentence goes on after "may"."""

_EVERYBODY = frozenset({P.SEE_OWN_ACCOUNT, P.SEE_WATERS, P.SEE_POLICIES})
_FIELD = _EVERYBODY | {P.PATROL, P.SEE_PATROLS, P.SEE_ISSUES, P.REPORT_ISSUE, P.ADD_PHOTOS, P.SEE_PHOTOS}

ROLE_MAY: dict[Role, frozenset[Permission]] = {
    Role.CITIZEN_CHIEF: _FIELD,
    Role.PATROLLER: _FIELD | {P.HANDLE_ISSUE},
    Role.CHIEF: _FIELD | {P.SEE_PEOPLE, P.HANDLE_ISSUE, P.CLOSE_MAJOR_ISSUE, P.SUPERVISE_ISSUE, P.SEE_ORIGINAL_PHOTOS, P.EXPORT_ISSUES, P.EXPORT_PATROLS},
    Role.HANDLER: _EVERYBODY
    | {P.SEE_ISSUES, P.REPORT_ISSUE, P.HANDLE_ISSUE, P.ADD_PHOTOS, P.SEE_PHOTOS, P.SEE_ORIGINAL_PHOTOS},
    Role.OFFICE: _EVERYBODY
    | {
        P.SEE_PEOPLE, P.MANAGE_REGISTER, P.SEE_PATROLS, P.JUDGE_PATROLS, P.MANAGE_DUTIES, P.SEE_ISSUES, P.REPORT_ISSUE, P.RECEIVE_ISSUE,
        P.DISPATCH_ISSUE, P.HANDLE_ISSUE, P.REVIEW_ISSUE, P.CLOSE_ISSUE, P.REOPEN_ISSUE, P.EXPORT_ISSUES, P.EXPORT_PATROLS, P.ADD_PHOTOS,
        P.SEE_PHOTOS, P.SEE_ORIGINAL_PHOTOS, P.REVEAL_REPORTER, P.MANAGE_NOTIFICATIONS,
        P.SEE_SPOT_CHECKS, P.DO_SPOT_CHECKS, P.WATCH, P.MANAGE_POLICIES,
    },
    Role.SUPERVISOR: _EVERYBODY
    | {
        P.SEE_PEOPLE, P.SEE_PATROLS, P.JUDGE_PATROLS, P.SEE_ISSUES, P.REPORT_ISSUE, P.REVIEW_ISSUE, P.REOPEN_ISSUE,
        P.SUPERVISE_ISSUE, P.CLOSE_MAJOR_ISSUE,
        P.EXPORT_ISSUES, P.EXPORT_PATROLS, P.ADD_PHOTOS, P.SEE_PHOTOS, P.SEE_ORIGINAL_PHOTOS, P.SEE_SPOT_CHECKS, P.DO_SPOT_CHECKS, P.WATCH,
    },
    Role.ADMIN: _EVERYBODY
    | {P.SEE_PEOPLE, P.MANAGE_PEOPLE, P.MANAGE_REGISTER, P.MANAGE_NOTIFICATIONS, P.MANAGE_OUTBOX, P.MANAGE_POLICIES},
    Role.AUDITOR: _EVERYBODY | {P.SEE_PEOPLE, P.SEE_PATROLS, P.SEE_ISSUES, P.EXPORT_ISSUES, P.EXPORT_PATROLS, P.SEE_AUDIT, P.SEE_SPOT_CHECKS},
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Return everything that somebody with these `roles` may do: the union of the table's rows."""
    return frozenset().union(*(ROLE_MAY[role] for role in roles))


def roles_with(permission: Permission) -> Text:
    """Return the names of the roles that hold `permission`."""
    roles = [role for role in Role if permission in ROLE_MAY[role]]
    return Text("、".join(ROLE_NAME[role].zh for role in roles), ", ".join(ROLE_NAME[role].en for role in roles))
