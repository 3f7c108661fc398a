"""How an issue and its history read: plain JSON-ready values in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from patrol.evidence.queries import photo_links
from patrol.foundation import clock
from patrol.foundation.positions import shown_position
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.issues.accusations import is_charge
from patrol.issues.allowed import (
    ActorFacts,
    IssueFacts,
    may_check,
    signed_by_others,
    steps_open_to,
    waiting_for_parts,
)
from patrol.issues.beside import ANSWER_ORDER, ASK_EXTENSION, GRANT_EXTENSION, JOIN_CHARGE, REFUSE_EXTENSION
from patrol.issues.categories import CATEGORIES, Severity
from patrol.issues.deciding import shown_decision
from patrol.issues.due import is_overdue, shown_due
from patrol.issues.extensions import decision_in_both
from patrol.issues.following import followers_of
from patrol.issues.four_eyes import own_work
from patrol.issues.grounds import GROUND_NAME
from patrol.issues.history import (
    ADD_PHOTOS,
    ASK_REOPENING,
    ESCALATE,
    GIVE_BACK,
    HAND_OVER,
    HIDE_PHOTO,
    MILESTONE_DONE,
    MOVE_ALONG,
    PART_LEFT,
    PARTNER_UPDATE,
    RECOUNT,
    REFUSE_REOPENING,
    RELAPSE,
    RELAPSE_MOVED,
    RELAPSE_WITHDRAWN,
    REPORT_PART,
    SHOW_PHOTO,
    SPOT_CHECK,
    SUBMIT,
    TAKE_BACK_PART,
    TAKE_IN,
)
from patrol.issues.ledger import who_answers
from patrol.issues.lifecycle import ENDED, VERB_NAME, State, Step
from patrol.issues.listed import AnyIssue, ListedKin, ListedPart, ListedPerson, ListedPhoto, ListedRegion
from patrol.issues.listing import Counted
from patrol.issues.milestones import NOT_DONE
from patrol.issues.models import Extension, HistoryEntry, Issue, IssuePart, IssuePhoto
from patrol.issues.parts import is_late, open_parts_said
from patrol.issues.placing import Placement, answering_chief, shown_routing
from patrol.issues.plans import shown_plan
from patrol.issues.queries import actor_facts, districts_signed_by, issue_facts, sees_charges
from patrol.issues.signing import left_to, saying_who, signs_higher
from patrol.issues.system_words import reason_in_both
from patrol.people.actor import Actor
from patrol.people.departments import DEPARTMENTS
from patrol.people.models import Person, Region

T = TypeVar("T", bound=AnyIssue)
_VERB_NAME: dict[str, Text] = {verb.value: name for verb, name in VERB_NAME.items()} | {
    SUBMIT: Text("上报", "Report"), HAND_OVER: Text("河长交接", "Hand-over"),
    ADD_PHOTOS: Text("反映人补充照片", "Photos added by the complainant"), SPOT_CHECK: Text("现场抽查", "Spot check"),
    ESCALATE: Text("超期升级", "Escalation"), ANSWER_ORDER: Text("答复督办", "Answer to an order"),
    ASK_REOPENING: Text("反映人认为未整改到位", "Not fixed, says the complainant"),
    REFUSE_REOPENING: Text("不予重新办理", "Reopening refused"),
    PARTNER_UPDATE: Text("外部系统转来补充", "Word from a partner system"),
    ASK_EXTENSION: Text("申请延期", "Ask for more time"), GRANT_EXTENSION: Text("批准延期", "Grant more time"),
    REFUSE_EXTENSION: Text("不同意延期", "Refuse more time"),
    RECOUNT: Text("按新规定重新计算期限", "Due date counted again by new rules"),
    TAKE_IN: Text("并入同一问题", "The same issue was merged in"), GIVE_BACK: Text("并入的问题已撤出", "A merged issue was taken out"),
    MOVE_ALONG: Text("随原件一并合并", "Moved along with its original"),
    JOIN_CHARGE: Text("随原件列为涉及河长履职", "Became part of a charge with its original"),
    RELAPSE: Text("结案后复发", "The trouble came back"), RELAPSE_WITHDRAWN: Text("撤销复发记录", "It had not come back"),
    RELAPSE_MOVED: Text("复发件合并办理", "What brought it back is dealt with elsewhere now"),
    MILESTONE_DONE: Text("挂账节点完成", "Milestone done"),
    HIDE_PHOTO: Text("照片不再公开", "A photo is not public any more"), SHOW_PHOTO: Text("照片恢复公开", "A photo is public again"),
    PART_LEFT: Text("协办人已不能办理", "A co-handler can do nothing more"),
    REPORT_PART: Text("协办分项完成", "Part reported as done"), TAKE_BACK_PART: Text("收回协办分项", "Part taken back"),
}  # fmt: skip


def step_name(verb: str) -> Text:
    """Return the name of what an entry of a history tells, a step or something else that happened."""
    return _VERB_NAME.get(verb, Text(verb, verb))


@dataclass(frozen=True)
class Reader:
    """Who reads, in which language, when, and in which districts that person signs closures of major issues.

    `facts` remembers what the law needs to know of each issue looked at, `own_work` of each that the reader could check
    whether it is the reader's own work, `stead` whether the reader signs it in the stead of the district's chief, `ledger`
    who answers for it on the ledger, and `followers` how many say "me too" of it.
    """

    actor: Actor
    language: str
    now: datetime
    districts: Sequence[str]
    today: date
    facts: dict[UUID, IssueFacts] = field(default_factory=dict)
    own_work: dict[UUID, bool] = field(default_factory=dict)
    stead: dict[UUID, bool] = field(default_factory=dict)
    ledger: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    followers: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    def of(cls, actor: Actor, timezone: str) -> "Reader":
        """Return the reader that makes this request; one query at most, whatever is read."""
        today = clock.today(timezone)
        return cls(actor, language(), clock.now(), districts_signed_by(actor, today), today)

    def look_at(self, issues: Sequence[T], *, page: bool = False) -> Sequence[T]:
        """Return the issues, now that it is known of all together which of them the reader may check, and who answers for the ledger's.

        A few queries at most; of a `page` as many whatever it holds.
        """
        new, able = [i for i in issues if i.id not in self.facts], self.actor.permissions
        if not new:
            return issues
        self.facts.update({i.id: issue_facts(i, self.now) for i in new})
        checked = [i.id for i in new if may_check(self.facts[i.id], able)]
        own = own_work(checked, self.actor.person_id, self.today) if checked or page else set()
        self.own_work.update({issue_id: issue_id in own for issue_id in checked})
        major = [i for i in new if i.severity == Severity.MAJOR and i.state not in ENDED]
        if to_sign := [i.id for i in major if not i.region.path.startswith(tuple(self.districts))]:
            left = left_to(to_sign, signs_higher(self.actor, self.today), self.today)
            self.stead.update({issue_id: issue_id in left for issue_id in to_sign})
        self.followers.update(followers_of([i.id for i in new if i.id not in self.followers]))
        self.ledger.update(who_answers([i.id for i in new if i.suspended_at is not None]))
        return issues

    def allowed(self, issue: AnyIssue) -> list[Step]:
        """Return the steps open to the reader on a loaded issue now."""
        facts = self._facts(issue)
        return steps_open_to(self.facts[issue.id], facts)

    def signed_by_others(self, issue: Issue) -> list[tuple[Step, Text]]:
        """Return the steps of a loaded issue that wait for somebody else's signature, each with why, and who can sign."""
        facts = self._facts(issue)
        found = signed_by_others(self.facts[issue.id], facts)
        return [(step, saying_who(why, issue, self.today, step.verb)) for step, why in found]

    def waiting_for_parts(self, issue: Issue) -> list[tuple[Step, Text]]:
        """Return the steps of a loaded issue that the reader could take but for open parts, each with whose these are."""
        facts = self._facts(issue)
        return waiting_for_parts(replace(self.facts[issue.id], parts_said=open_parts_said(issue)), facts)

    def _facts(self, issue: AnyIssue) -> ActorFacts:
        self.look_at([issue])
        facts = actor_facts(self.actor, issue, self.districts, own_work=self.own_work.get(issue.id, False))
        return replace(facts, signs=True) if self.stead.get(issue.id) else facts

    def knows_reporter(self, issue: AnyIssue) -> bool:
        """Tell whether the reader may know who reported: everybody on duty, but not those whom the charge is about."""
        return not is_charge(issue.category) or sees_charges(self.actor) or issue.reporter_id == self.actor.person_id


def shown_issue(issue: AnyIssue, reader: Reader) -> dict[str, Any]:
    """Return how a loaded issue reads."""
    reader.look_at([issue])
    shown = {
        **{name: getattr(issue, name) for name in (
            "id", "number", "state", "category", "severity", "source", "description", "recorded_at", "received_at",
            "dispatched_at", "rectified_at", "verified_at", "closed_at", "returned_times", "reopened_times",
            "public_summary", "merged_at", "also_reported", "patrol_id", "check_in_id", "version")},
        "followers": reader.followers.get(issue.id, 0), "category_name": CATEGORIES[issue.category].name.in_language(reader.language),
        **shown_position(issue),
        "region": shown_region(issue.region),
        "reach": issue.reach and {"id": issue.reach.id, "code": issue.reach.code, "name": issue.reach.name},
        "lead": shown_person(issue.lead),
        "co_handlers": [shown_person(person) for person in issue.co_handlers],
        "parts": [shown_part(part, issue, reader) for part in issue.parts],
        "joint": issue.routing.get("joint", []),
        "department": shown_department(issue.department, reader.language),
        "routing": shown_issue_routing(issue, reader),
        **shown_due(issue.state, issue.due_at, issue.due_rule, reader.language),
        "overdue": is_overdue(issue.state, issue.due_at, reader.now), "decision": shown_decision(issue, reader.now, reader.language),
        "plan": shown_plan(issue, reader.now, reader.language),
        "suspension": shown_suspension(issue, reader),
        "merged_into": shown_kin(issue.merged_into), "relapse_of": shown_kin(issue.relapse_of),
        "relapsed_in": shown_kin(issue.relapsed_in),
        "photos": [shown_photo(link) for link in issue.photo_links],
        "findings": [shown_finding(row, reader.language) for row in issue.findings],
        "allowed": [step.verb.value for step in reader.allowed(issue)],
    }  # fmt: skip
    if issue.reporter_id and reader.knows_reporter(issue):
        actor = reader.actor
        # What was just entered is shown to who entered it, without asking the database for what is known.
        own = {"id": actor.person_id, "name": actor.name, "title": actor.title}
        shown["reporter"] = own if issue.reporter_id == actor.person_id else shown_person(issue.reporter)
    return shown


def shown_issue_routing(issue: AnyIssue, reader: Reader) -> dict[str, Any]:
    """Return the stored explanation of who answers, with the policy that decided whether the office looks first."""
    policy = issue.routing.get("policy")
    return {
        **shown_routing(issue.routing, reader.language, with_people=True),
        "chief": answering_chief(issue.routing, reader.language),
        "policy": policy and {
            "rule": policy["rule"], "version": policy.get("version"), "straight": policy["straight"], "reason": policy["reason"][reader.language],
        },
    }  # fmt: skip


def shown_placement(placement: Placement, category: str | None, *, with_people: bool) -> dict[str, Any]:
    """Return the answer to "who answers for this place"; without people, chiefs are their posts only."""
    data, chief = placement.as_data(category), None
    if (found := answering_chief(data, language())) is not None:
        chief = found if with_people else {"title": found["title"]}
    return {**shown_routing(data, language(), with_people=with_people), "chief": chief}


def shown_region(region: Region | ListedRegion) -> dict[str, Any]:
    """Return a region in short."""
    return {"id": region.id, "code": region.code, "name": region.name, "level": region.level}


def shown_person(person: Person | ListedPerson | None) -> dict[str, Any] | None:
    """Return an account in short."""
    return {"id": person.id, "name": person.name, "title": person.title} if person else None


def shown_department(code: str | None, tongue: str) -> dict[str, str] | None:
    """Return a department in short."""
    return {"code": code, "name": DEPARTMENTS[code].name.in_language(tongue)} if code else None


def shown_kin(issue: Issue | ListedKin | None) -> dict[str, Any] | None:
    """Return the issue that another one names, by id and number only: who may see more follows the id."""
    return {"id": issue.id, "number": issue.number} if issue else None


def shown_part(part: IssuePart | ListedPart, issue: AnyIssue, reader: Reader) -> dict[str, Any]:
    """Return a co-handler's part of an issue; one without a date of its own is due with the issue."""
    return {
        "n": part.n, "person": shown_person(part.person), "department": shown_department(part.department, reader.language),
        "text": part.text, "due_at": part.due_at or shown_due(issue.state, issue.due_at, issue.due_rule, reader.language)["due_at"],
        "state": part.state, "late": is_late(part, issue, reader.now), "note": part.note, "ended_at": part.ended_at,
    }  # fmt: skip


def shown_suspension(issue: AnyIssue, reader: Reader) -> dict[str, Any] | None:
    """Return since when an issue is on the ledger, in whose name, what is to be done by when, and the day on which it is reviewed."""
    if issue.suspended_at is None:
        return None
    reader.look_at([issue])
    milestones = [{**NOT_DONE, **row, "n": n} for n, row in enumerate(issue.milestones or [], 1)]
    return {"since": issue.suspended_at, "review_on": issue.review_on, "milestones": milestones, **reader.ledger[issue.id]}


def shown_extension(row: Extension) -> dict[str, Any]:
    """Return a loaded extension: asked for by whom and until when, and what was decided; nulls while nobody decided."""
    return {
        **{name: getattr(row, name) for name in ("n", "until", "reason", "asked_at", "granted", "decided_at")},
        "decision": decision.in_language(language()) if (decision := decision_in_both(row)) else None,
        "asked_by": shown_person(row.asked_by), "decided_by": shown_person(row.decided_by),
    }  # fmt: skip


def shown_photo(link: IssuePhoto | ListedPhoto) -> dict[str, Any]:
    """Return a photo on an issue; `recorded_at` is the device's word, else the file's, else when it arrived."""
    photo = link.photo
    return {
        "id": photo.id, "kind": link.kind, "recorded_at": photo.recorded_at or photo.exif_taken_at or photo.received_at,
        "before_photo_id": link.before_photo_id, "hidden": link.hidden_seq is not None, **photo_links(photo.id),
    }  # fmt: skip


def shown_finding(row: Mapping[str, Any], tongue: str) -> dict[str, Any]:
    """Return a stored finding in the reader's language."""
    return {
        "code": row["code"], "severity": row["severity"], "text": row[tongue], "evidence": row["evidence"],
        "version": row["version"],
    }  # fmt: skip


def shown_step(step: Step, issue: Issue, tongue: str) -> dict[str, Any]:
    """Return a step that may be taken on an issue, where it leads, and what it brings."""
    target = step.target and step.leads_from(State(issue.state), dispatched=issue.dispatched_at is not None).value
    return {
        "verb": step.verb.value, "name": step.name.in_language(tongue), "target": target,
        "must": list(step.must), "one_of": list(step.one_of), "may": list(step.may),
    }  # fmt: skip


def shown_list(counted: Counted, tongue: str) -> dict[str, Any]:
    """Return a role's list with its count, and where and by which query its rows are read."""
    row = counted.row
    return {
        "name": counted.name, "title": row.title.in_language(tongue), "titles": row.title._asdict(), "about": row.about.in_language(tongue),
        "count": counted.number, "more": counted.more, "path": counted.path, "filter": counted.filter,
    }  # fmt: skip


def shown_history(issue: Issue, entries: Iterable[HistoryEntry], reader: Reader) -> list[dict[str, Any]]:
    """Return how an issue's history reads."""
    return [_shown_entry(entry, reader, named=_named(issue, entry, reader)) for entry in entries]


def _named(issue: Issue, entry: HistoryEntry, reader: Reader) -> bool:
    return entry.actor_id is not None and (entry.actor_id != issue.reporter_id or reader.knows_reporter(issue))


def _shown_entry(entry: HistoryEntry, reader: Reader, *, named: bool) -> dict[str, Any]:
    tongue = reader.language
    return {
        **{name: getattr(entry, name) for name in (
            "seq", "verb", "from_state", "to_state", "at", "rule", "note", "ground", "changes", "previous_hash", "hash")},
        "reason": entry.reason and reason_in_both(entry.verb, entry.reason).in_language(tongue),
        "name": step_name(entry.verb).in_language(tongue),
        "actor": {"id": entry.actor_id, "name": entry.actor_name} if named else None,
        "ground_name": GROUND_NAME[entry.ground].in_language(tongue) if entry.ground else None,
        "photos": [{**photo, **photo_links(photo["id"])} for photo in entry.photos],
    }
