"""From which day on duties are reckoned: the rows of how often, which hold since 2021, begin with the use of the system instead. Never commits.

Appointments are entered with the day on which they began, often years ago. Without this everybody would start with a
backlog of patrols that nobody could have recorded.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock
from patrol.foundation.clock import beginning_of_day
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict
from patrol.foundation.texts import Text
from patrol.patrols.duty_models import FrequencyPolicy
from patrol.patrols.models import Patrol
from patrol.people.actions import note_audit
from patrol.people.actor import Actor

_IN_USE = Text(
    "{day} 之前已有巡河记录（最早 {first}）：当时已在使用，之前的任务不能取消",
    "There are patrols from before {day} (the first on {first}): it was in use then, and what was due then stays",
)
_SINCE = Text("{source}（自启用日 {day} 起）", "{source} (since the use began, {day})")
_FIGURES = (
    "level", "title", "region_id", "colour", "months", "weekdays", "working_days_only", "period", "times", "least_share", "valid_to",
)  # fmt: skip
_LONGEST = 500


def begin_duties(day: date, *, by: Actor, timezone: str) -> Sequence[FrequencyPolicy]:
    """Let no row of how often count before a local day; return the rows that count from it on instead of older ones.

    The older ones are withdrawn and stay in the list. Raises Conflict (409) when somebody patrolled before that day.
    """
    first = db.session.scalar(select(Patrol.started_at).order_by(Patrol.started_at).limit(1))
    if first is not None and first < beginning_of_day(day, timezone):
        raise Conflict(_IN_USE.format(day=day, first=clock.local_date(first, timezone)))
    older = db.session.scalars(
        select(FrequencyPolicy).where(FrequencyPolicy.withdrawn_at.is_(None), FrequencyPolicy.valid_from < day)
        .options(joinedload(FrequencyPolicy.region)).order_by(FrequencyPolicy.level, FrequencyPolicy.id).with_for_update(of=FrequencyPolicy)
    ).all()  # fmt: skip
    now, begun = clock.now(), []
    for row in older:
        row.withdrawn_at, row.version = now, row.version + 1
        if row.valid_to is None or row.valid_to >= day:
            source = _SINCE.format(source=Text(row.source_zh, row.source_en), day=day)
            begun.append(FrequencyPolicy(
                id=new_id(), valid_from=day, source_zh=source.zh[:_LONGEST], source_en=source.en[:_LONGEST], added_at=now, version=1,
                **{name: getattr(row, name) for name in _FIGURES},
            ))  # fmt: skip
    db.session.add_all(begun)
    db.session.flush()
    if older:
        note_audit(by, "begin_duties", str(day), withdrawn=[str(row.id) for row in older], begun=[str(row.id) for row in begun])
    return begun
