"""The lists that a role works by: what each is called, whom it is for, and why it is there."""

from enum import StrEnum
from typing import NamedTuple

from patrol.foundation.texts import Text
from patrol.people.permissions import Permission as P


class RoleList(StrEnum):
    """A list of what somebody has to do; the filter `list` of a list of issues."""

    MINE_TODAY = "mine_today"
    WAITING_FOR_ME = "waiting_for_me"
    LATE_BELOW_ME = "late_below_me"
    CAME_BACK = "came_back"


class ListRow(NamedTuple):
    """One list: its title, what is in it, and the permissions of which any gives its reader something to do there."""

    title: Text
    about: Text
    for_any: frozenset[P]


_ROWS: dict[RoleList, ListRow] = {
    RoleList.MINE_TODAY: ListRow(
        Text("今日待办", "Mine today"),
        Text("由您负责或协办：今天到期（含整改方案）、已超期，或已派单尚未开始；以及无人负责、由您代办的",
             "Yours as lead or co-handler: due today (a plan too), late, or dispatched and not begun; and what nobody leads but you stand in for"),
        frozenset({P.HANDLE_ISSUE}),
    ),
    RoleList.WAITING_FOR_ME: ListRow(
        Text("待我决定", "Waiting for my decision"),
        Text("等您受理、派单、批复延期、复核、结案、答复“未整改到位”，或挂账复查日、节点已到",
             "To be accepted, dispatched, checked or closed by you, a request for more time, a “not fixed”, or a day of the ledger has come"),
        frozenset({P.RECEIVE_ISSUE, P.DISPATCH_ISSUE, P.REVIEW_ISSUE, P.CLOSE_ISSUE, P.CLOSE_MAJOR_ISSUE}),
    ),
    RoleList.LATE_BELOW_ME: ListRow(
        Text("下级超期", "Late below me"),
        Text("辖区内他人负责、已超期的问题，整改方案逾期未报的，以及河长办逾期未派单、未复核、未结案、未复查、未答复的",
             "Overdue in your area, or without its plan in time, with others in charge; and what waits too long for an office to dispatch, check, close, review or answer"),
        frozenset({P.SUPERVISE_ISSUE, P.REVIEW_ISSUE}),
    ),
    RoleList.CAME_BACK: ListRow(
        Text("退回重办", "Came back"),
        Text("复核未通过退回、被退单或重新办理，现在又轮到您", "Returned by the check, declined or reopened, and yours again"),
        frozenset({P.HANDLE_ISSUE, P.DISPATCH_ISSUE}),
    ),
}  # fmt: skip


def lists_for(permissions: frozenset[P]) -> dict[RoleList, ListRow]:
    """Return the lists in which somebody with these permissions can have something to do, in the order of the day."""
    return {name: row for name, row in _ROWS.items() if row.for_any & permissions}
