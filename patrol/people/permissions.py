"""Which role may do what: one enum and one table, the only place where a role becomes a permission."""

from enum import StrEnum


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


P = Permission

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
