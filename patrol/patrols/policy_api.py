"""Policies over HTTP: versions with the day they begin, what one would change, withdrawal before it is in force."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from patrol.foundation.clock import home_timezone
from patrol.foundation.database import db
from patrol.foundation.paging import Page, PageArgs, page_schema
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.issues.policy_queries import register_kind
from patrol.patrols import duty_actions, duty_lists
from patrol.patrols.api import room
from patrol.patrols.duty_actions import refuse_beyond
from patrol.patrols.duty_api import FREQUENCIES, policy_answer, shown_policies, today
from patrol.patrols.duty_periods import window_of
from patrol.patrols.duty_schemas import FrequencyPolicyArgs, FrequencyPolicyOut
from patrol.patrols.duty_shown import shown_version
from patrol.patrols.examination_models import ExaminationPolicy
from patrol.patrols.policy_actions import (
    add_version,
    numbers_of,
    proposed,
    refuse_begun,
    refuse_unregistered,
    withdraw_version,
)
from patrol.patrols.policy_queries import (
    COVERAGE,
    DATUM,
    INTEGRITY,
    KINDS,
    get_version,
    list_versions,
    standing_of,
    thresholds_in,
    versions_of,
)
from patrol.patrols.policy_schemas import (
    ExaminationPolicyIn,
    ExaminationPolicyOut,
    ExaminationTrialIn,
    ExaminationTrialOut,
    FrequencyTrialIn,
    FrequencyTrialOut,
    FrequencyVersionIn,
)
from patrol.patrols.policy_trials import DutyTrial, VerdictTrial, candidate, sums_of, try_frequency, try_thresholds
from patrol.people.actor import Actor
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P
from patrol.people.queries import region_with_code

_VERSIONS = page_schema(ExaminationPolicyOut)
_AGAIN = {"description": "It was here already", "success": True}
# What a body may be refused for, also where nothing is written.
_BODY_FAULTS = (400, 413, 415)
_NAMES = {
    INTEGRITY: Text("巡河核查", "Integrity of patrols"), COVERAGE: Text("巡河覆盖", "Coverage of patrols"), DATUM: Text("坐标系识别", "Recognition of datums"),
}
_FREQUENCY = Text("巡河频次", "How often reaches are patrolled")
View = Callable[..., Any]


def _named(name: str) -> Callable[[View], View]:
    """Give a view of a kind its own name, which is that of the operation in the API's description."""

    def name_it(view: View) -> View:
        view.__name__ = name
        return view

    return name_it


def _add_routes(kind: str) -> None:
    @room.route(f"/policies/{kind}", may=P.SEE_POLICIES)
    @room.arguments(PageArgs, location="query")
    @room.response(200, _VERSIONS)
    @_named(f"list_{kind}_versions")
    def list_policies(args: dict[str, Any]) -> Page[dict[str, Any]]:
        """List every version with its source, the one that begins last first."""
        page, standing = list_versions(kind, **args), standing_of(kind, today())
        return Page([_shown(row, standing, today()) for row in page.items], page.next)

    @room.route(f"/policies/{kind}", may=P.MANAGE_POLICIES, methods=("POST",), refuses=(409,))
    @room.body(ExaminationPolicyIn)
    @room.response(201, ExaminationPolicyOut)
    @room.alt_response(200, schema=ExaminationPolicyOut, **_AGAIN)
    @_named(f"add_{kind}_version")
    def add_policy(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Add a version that begins on a day to come. Patrols that began before it keep the version of their day."""
        row, is_new = add_version(kind, by=current_actor(), today=today(), **data)
        return _shown(row, standing_of(kind, today()), today()), 201 if is_new else 200

    @room.route(f"/policies/{kind}/dry-run", may=P.MANAGE_POLICIES, methods=("POST",), writes=False, refuses=_BODY_FAULTS)
    @room.body(ExaminationTrialIn)
    @room.response(200, ExaminationTrialOut)
    @_named(f"try_{kind}_version")
    def try_policy(data: dict[str, Any]) -> dict[str, Any]:
        """Say how many of the last patrols would get another verdict, had the thresholds been in force; nothing is written."""
        thresholds = proposed(kind, data["thresholds"], today())
        refuse_unregistered(data["trusted_receivers"] or ())
        return _shown_verdicts(try_thresholds(
            kind, thresholds, data["trusted_receivers"], actor=current_actor(), patrols=data["patrols"], timezone=home_timezone()))

    @room.route(f"/policies/{kind}/<uuid:version_id>", may=P.MANAGE_POLICIES, methods=("DELETE",), refuses=(409,))
    @room.response(200, ExaminationPolicyOut)
    @_named(f"withdraw_{kind}_version")
    def withdraw_policy(version_id: UUID) -> dict[str, Any]:
        """Take back a version that is not in force yet; it stays readable."""
        row = withdraw_version(get_version(kind, version_id), by=current_actor(), today=today())
        return _shown(row, standing_of(kind, today()), today())


for _kind in KINDS:
    _add_routes(_kind)


@room.route("/policies/frequency", may=P.SEE_POLICIES)
@room.arguments(FrequencyPolicyArgs, location="query")
@room.response(200, FREQUENCIES)
def list_frequency_versions(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List how often reaches are to be patrolled, every version with its source."""
    return shown_policies(duty_lists.list_policies(current_actor(), **args))


@room.route("/policies/frequency", may=P.MANAGE_POLICIES, methods=("POST",), refuses=(404, 409))
@room.body(FrequencyVersionIn)
@room.response(201, FrequencyPolicyOut)
@room.alt_response(200, schema=FrequencyPolicyOut, **_AGAIN)
def add_frequency_version(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Add a row that begins on a day to come; among rows of one place, colour, title and season the latest decides."""
    policy_id = data.pop("id")
    if duty_lists.find_policy(current_actor(), policy_id) is None:
        refuse_begun(data["valid_from"], today())
    row, is_new = duty_actions.add_policy(by=current_actor(), id=policy_id, region_code=data.pop("region"), **data)
    return policy_answer(duty_lists.get_policy(current_actor(), row.id)), 201 if is_new else 200


@room.route("/policies/frequency/dry-run", may=P.MANAGE_POLICIES, methods=("POST",), writes=False, refuses=(404, *_BODY_FAULTS))
@room.body(FrequencyTrialIn)
@room.response(200, FrequencyTrialOut)
def try_frequency_version(data: dict[str, Any]) -> dict[str, Any]:
    """Count the duties of a window with and without another row, as if it had been in force; nothing is written."""
    actor, code, window = current_actor(), data.pop("region"), window_of(data.pop("during"), None, None, today=today())
    region = region_with_code(code) if code else None
    refuse_beyond(region, actor)
    # A quarter that ends in the window began before it: the row is taken to have held for long.
    row = candidate(uuid4(), region, window.first.replace(year=window.first.year - 1, day=1), **data)
    return _shown_duties(try_frequency(row, actor=actor, window=window, timezone=home_timezone()))


@room.route("/policies/frequency/<uuid:version_id>", may=P.MANAGE_POLICIES, methods=("DELETE",), refuses=(409,))
@room.response(200, FrequencyPolicyOut)
def withdraw_frequency_version(version_id: UUID) -> dict[str, Any]:
    """Take a row back before its first day; it stays readable."""
    row = duty_lists.get_policy(current_actor(), version_id, lock=True)
    return policy_answer(duty_actions.withdraw_policy(row, by=current_actor(), today=today()))


def _shown(row: ExaminationPolicy, standing: Mapping[UUID, str], day: date) -> dict[str, Any]:
    names = ("id", "kind", "valid_from", "trusted_receivers", "added_at", "withdrawn_at")
    return {
        **{name: getattr(row, name) for name in names}, "code": row.version, "version": row.number,
        # Also those that were added to the rule after the row was written: it goes by their defaults.
        "thresholds": numbers_of(thresholds_in(row.data, row.kind, row.version)),
        "source": {"zh": row.source_zh, "en": row.source_en}, "standing": standing.get(row.id, "withdrawn"),
        "withdrawable": row.withdrawn_at is None and row.valid_from > day,
    }  # fmt: skip


def _told(kind: str) -> Callable[[Actor, date], list[dict[str, Any]]]:
    def versions(_actor: Actor, day: date) -> list[dict[str, Any]]:
        standing = standing_of(kind, day)
        rows = db.session.scalars(versions_of(kind).where(ExaminationPolicy.withdrawn_at.is_(None)).order_by(ExaminationPolicy.valid_from))
        return [_shown(row, standing, day) for row in rows]

    return versions


def _told_frequencies(actor: Actor, day: date) -> list[dict[str, Any]]:
    superseded = duty_lists.superseded_policies(day)
    rows = db.session.scalars(duty_lists.visible_policies(actor).order_by(*duty_lists.POLICIES_BY_LEVEL.clauses()))
    return [shown_version(row, day, superseded) for row in rows]


for _kind, _name in _NAMES.items():
    register_kind(_kind, _name, _told(_kind))
register_kind("frequency", _FREQUENCY, _told_frequencies)


def _may_see_patrols() -> bool:
    """Tell whether the caller may see whose patrols they are; the numbers are for whoever writes policies."""
    return current_actor().may(P.SEE_PATROLS)


def _shown_verdicts(trial: VerdictTrial) -> dict[str, Any]:
    return {
        "looked_at": trial.looked_at, "purged": trial.purged, "changed": len(trial.changed), "before": dict(trial.before), "after": dict(trial.after),
        "items": [{
            "patrol_id": patrol.id, "person": patrol.person, "started_at": patrol.started_at, "before": before, "after": after,
            "reasons": [reason.in_language(language()) for reason in reasons],
        } for patrol, before, after, reasons in trial.changed if _may_see_patrols()],
    }  # fmt: skip


def _shown_duties(trial: DutyTrial) -> dict[str, Any]:
    pairs = [(sums_of([before]), sums_of([after]), before) for before, after in zip(trial.before, trial.after, strict=True)]
    changed = [{"person": duty.person, "reach": duty.reach, "before": before, "after": after} for before, after, duty in pairs if before != after]
    return {
        "window": trial.window._asdict(), "looked_at": len(pairs), "whole": trial.whole, "changed": len(changed),
        "before": sums_of(trial.before), "after": sums_of(trial.after), "items": changed if _may_see_patrols() else [],
    }  # fmt: skip
