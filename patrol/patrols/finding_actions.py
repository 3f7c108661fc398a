"""People speak of findings: the patrol's person replies, a reviewer judges, either takes it back. Rows are only added."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, NotAllowed, NotFound
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.events import FindingJudged
from patrol.patrols.examination_models import FindingStatement, PatrolFinding
from patrol.patrols.models import Patrol
from patrol.patrols.standing import JUDGEMENT, REPLY, WITHDRAWAL, in_force
from patrol.patrols.statement_queries import statements_on
from patrol.patrols.track_queries import track_is_purged
from patrol.people.actor import Actor
from patrol.people.permissions import Permission as P

_NO_FINDING = Text("这次巡河没有 {code} 这一发现，请以最新的巡河结果为准", "This patrol has no finding {code}: read the patrol again")
_NOT_HERS = Text("只有巡河人本人可以回复", "Only who patrolled can reply")
_ONESELF = Text("不能审核自己的巡河或他人代您的巡河", "Nobody judges a patrol of her own, or one walked on her behalf")
_NO_REVIEWER = Text("没有审核巡河的权限", "You may not judge patrols")
_NOTHING = Text("没有可撤回的{what}", "There is no {what} in force to take back")
_WHAT = {True: Text("回复", "reply"), False: Text("审核结论", "judgement")}
_PURGED = Text(
    "原始轨迹已按保存期限删除，不能再重新判定", "The raw track was deleted after the set time: nothing can be judged anew"
)


@dataclass(frozen=True)
class Said:
    """What somebody says of a finding, under an id of the client's."""

    id: UUID
    kind: str
    text: str
    judgement: str | None = None


def reply(*, patrol: Patrol, code: str, by: Actor, id: UUID, text: str) -> bool:  # noqa: A002
    """Add what the patrol's person answers; return whether it is new. The patrol must be locked.

    Raises NotAllowed for anybody else, NotFound for a finding that is not there, Conflict for an id used before.
    """
    said = Said(id, REPLY, text)
    if _known(patrol, code, by, said):
        return False
    if patrol.person_id != by.person_id:
        raise NotAllowed(_NOT_HERS)
    _refuse_unfound(patrol, code)
    _add(patrol, code, by, said)
    return True


def judge(*, patrol: Patrol, code: str, by: Actor, id: UUID, judgement: str, text: str) -> bool:  # noqa: A002
    """Add a reviewer's judgement, which takes the place of the one before; return whether it is new.

    The patrol must be locked and visible to the reviewer, whose region then covers it. It is examined anew. Raises
    NotAllowed for a patrol of one's own, NotFound for a finding that is not there, Conflict for an id used before and
    for a track that was purged.
    """
    said = Said(id, JUDGEMENT, text, judgement)
    if _known(patrol, code, by, said):
        return False
    _refuse_oneself(patrol, by)
    _refuse_unfound(patrol, code)
    _refuse_purged(patrol)
    _add(patrol, code, by, said)
    events.record(FindingJudged(patrol_id=patrol.id, code=code, statement_id=id))
    return True


def withdraw(*, patrol: Patrol, code: str, by: Actor, id: UUID, text: str) -> bool:  # noqa: A002
    """Take back one's reply, on a patrol of one's own, or as a reviewer the judgement in force; return whether it is new.

    What was said stays readable. Raises Conflict when there is nothing to take back, and as `judge` does.
    """
    said = Said(id, WITHDRAWAL, text)
    if _known(patrol, code, by, said):
        return False
    hers = patrol.person_id == by.person_id
    if not hers:
        if not by.may(P.JUDGE_PATROLS):
            raise NotAllowed(_NO_REVIEWER)
        _refuse_oneself(patrol, by)
    standing = in_force((row for row in statements_on(patrol.id) if row.code == code), patrol.person_id)
    if not (standing.replied if hers else standing.judgement):
        raise Conflict(_NOTHING.format(what=_WHAT[hers]))
    if not hers:
        _refuse_purged(patrol)
        events.record(FindingJudged(patrol_id=patrol.id, code=code, statement_id=id))
    _add(patrol, code, by, said)
    return True


def _known(patrol: Patrol, code: str, by: Actor, said: Said) -> bool:
    row = db.session.get(FindingStatement, said.id)
    if row is None:
        return False
    stored = _digest(row.patrol_id, row.code, row.person_id, row)
    refuse_other_content(said.id, stored=stored, sent=_digest(patrol.id, code, by.person_id, said))
    return True


def _digest(patrol_id: UUID, code: str, person_id: UUID | None, said: Said | FindingStatement) -> str:
    return content_digest({
        "patrol_id": patrol_id, "code": code, "person_id": person_id, "kind": said.kind, "judgement": said.judgement, "text": said.text,
    })  # fmt: skip


def _refuse_oneself(patrol: Patrol, by: Actor) -> None:
    if by.person_id in (patrol.person_id, patrol.on_behalf_of_id):
        raise NotAllowed(_ONESELF)


def _refuse_unfound(patrol: Patrol, code: str) -> None:
    if db.session.get(PatrolFinding, (patrol.id, code)) is None:
        raise NotFound(_NO_FINDING.format(code=code))


def _refuse_purged(patrol: Patrol) -> None:
    if track_is_purged(patrol.id):
        raise Conflict(_PURGED)


def _add(patrol: Patrol, code: str, by: Actor, said: Said) -> None:
    # The order of the statements decides what is in force: no two of a patrol may be of one moment.
    before = [row.at for row in statements_on(patrol.id)]
    at = max([clock.now(), *(moment + timedelta(microseconds=1) for moment in before)])
    assert by.person_id is not None
    db.session.add(FindingStatement(
        id=said.id, patrol_id=patrol.id, code=code, kind=said.kind, person_id=by.person_id, judgement=said.judgement, text=said.text, at=at,
    ))  # fmt: skip
    db.session.flush()
