"""Duties over HTTP: what is due and done, gaps, reminders, and the policies and warnings that set how often."""

from datetime import date
from typing import Any
from uuid import UUID

from patrol.foundation import clock
from patrol.foundation.http import expected_version, refuse_stale, set_etag
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.problems import language
from patrol.foundation.same_content import content_digest
from patrol.patrols import duty_actions, duty_lists, duty_queries, gap_queries
from patrol.patrols.api import room
from patrol.patrols.duty_models import FrequencyPolicy, ReachWarning
from patrol.patrols.duty_periods import window_of
from patrol.patrols.duty_schemas import (
    DutyArgs,
    DutyGapArgs,
    DutyGapOut,
    DutyOut,
    FrequencyPolicyArgs,
    FrequencyPolicyEndIn,
    FrequencyPolicyIn,
    FrequencyPolicyOut,
    ReachWarningArgs,
    ReachWarningIn,
    ReachWarningOut,
    ReminderArgs,
    ReminderOut,
)
from patrol.patrols.duty_shown import shown_duty, shown_gap, shown_reminder, shown_version
from patrol.patrols.queries import person_meant
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P
from patrol.waters.queries import chiefs_on

FREQUENCIES = page_schema(FrequencyPolicyOut)


def today() -> date:
    """Return today's local date."""
    return clock.today(clock.home_timezone())


@room.route("/duties", may=P.SEE_PATROLS, refuses=(404,))
@room.arguments(DutyArgs, location="query")
@room.response(200, page_schema(DutyOut))
def list_duties(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List what each chief has to patrol, by which policy, what was done, what is left and what was missed.

    Every row is a person and a reach. Short walks add up; the legs of a day are one walk; what delegates did is counted
    and named. Numerator `counted` and denominator `required` stand side by side;
    `required` is `counted`, `left` and `missed` together.
    """
    window = window_of(args.pop("period"), args.pop("from_"), args.pop("to"), today=today())
    person = person_meant(args.pop("person"), current_actor())
    page = duty_queries.list_duties(current_actor(), window=window, person=person, timezone=clock.home_timezone(), **args)
    return Page([shown_duty(duty, window, language(), today()) for duty in page.items], page.next)


@room.route("/duties/gaps", may=P.SEE_PATROLS, refuses=(404,))
@room.arguments(DutyGapArgs, location="query")
@room.response(200, page_schema(DutyGapOut))
def list_duty_gaps(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the reaches that nobody patrolled in time, since when, and who answers for them today."""
    page = gap_queries.list_gaps(current_actor(), day=today(), timezone=clock.home_timezone(), **args)
    chiefs = chiefs_on([gap.reach.id for gap in page.items], today())
    return Page([shown_gap(gap, chiefs.get(gap.reach.id, []), language()) for gap in page.items], page.next)


@room.route("/me/reminders", may=P.SEE_OWN_ACCOUNT)
@room.arguments(ReminderArgs, location="query")
@room.response(200, page_schema(ReminderOut))
def list_reminders(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List one's own reminders of duties, the latest first."""
    page = duty_lists.list_reminders(current_actor(), **args)
    return Page([shown_reminder(row, language()) for row in page.items], page.next)


@room.route("/frequency-policies", may=P.SEE_PATROLS)
@room.arguments(FrequencyPolicyArgs, location="query")
@room.response(200, FREQUENCIES)
def list_frequency_policies(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List how often reaches are to be patrolled, every version with its source."""
    page = duty_lists.list_policies(current_actor(), **args)
    return shown_policies(page)


@room.route("/frequency-policies/<uuid:policy_id>", may=P.SEE_PATROLS)
@room.response(200, FrequencyPolicyOut)
def show_frequency_policy(policy_id: UUID) -> dict[str, Any]:
    """Show one row of policy."""
    return policy_answer(duty_lists.get_policy(current_actor(), policy_id))


@room.route("/frequency-policies/<uuid:policy_id>", may=P.MANAGE_DUTIES, methods=("PUT",), refuses=(409,))
@room.body(FrequencyPolicyIn)
@room.response(201, FrequencyPolicyOut)
@room.alt_response(200, schema=FrequencyPolicyOut, description="It was here already", success=True)
def add_frequency_policy(data: dict[str, Any], policy_id: UUID) -> tuple[dict[str, Any], int]:
    """Add a row of policy under an id of one's own."""
    row, is_new = duty_actions.add_policy(by=current_actor(), id=policy_id, region_code=data.pop("region"), **data)
    return policy_answer(duty_lists.get_policy(current_actor(), row.id)), 201 if is_new else 200


@room.route("/frequency-policies/<uuid:policy_id>", may=P.MANAGE_DUTIES, methods=("PATCH",), if_match=True)
@room.body(FrequencyPolicyEndIn)
@room.response(200, FrequencyPolicyOut)
def end_frequency_policy(data: dict[str, Any], policy_id: UUID) -> dict[str, Any]:
    """Give a row of policy its last day; null lets it hold until further notice. Figures change by another row."""
    expected = expected_version()
    row = duty_lists.get_policy(current_actor(), policy_id, lock=True)
    refuse_stale(expected, row.version)
    return policy_answer(duty_actions.end_policy(row, by=current_actor(), **data))


def policy_answer(row: FrequencyPolicy) -> dict[str, Any]:
    """Return what `FrequencyPolicyOut` shows, with the row's ETag."""
    set_etag(row.version)
    return shown_version(row, today(), duty_lists.superseded_policies(today()))


def shown_policies(page: Page[FrequencyPolicy]) -> Page[dict[str, Any]]:
    """Return a page of rows as `FrequencyPolicyOut` shows them."""
    superseded = duty_lists.superseded_policies(today())
    return Page([shown_version(row, today(), superseded) for row in page.items], page.next)


@room.route("/reach-warnings", may=P.SEE_PATROLS, refuses=(404,))
@room.arguments(ReachWarningArgs, location="query")
@room.response(200, page_schema(ReachWarningOut))
def list_reach_warnings(args: dict[str, Any]) -> Page[ReachWarning]:
    """List the warnings on reaches, the latest first."""
    return duty_lists.list_warnings(current_actor(), **args)


@room.route("/reach-warnings/<uuid:warning_id>", may=P.MANAGE_DUTIES, methods=("PUT",), refuses=(409,))
@room.body(ReachWarningIn)
@room.response(201, ReachWarningOut)
@room.alt_response(200, schema=ReachWarningOut, description="It was here already", success=True)
def raise_reach_warning(data: dict[str, Any], warning_id: UUID) -> tuple[ReachWarning, int]:
    """Put a warning on a reach: it is patrolled as often as its colour asks; of several the highest counts."""
    row, is_new = duty_actions.raise_warning(by=current_actor(), id=warning_id, digest=content_digest(data), **data)
    row = duty_lists.get_warning(current_actor(), row.id)
    set_etag(row.version)
    return row, 201 if is_new else 200


@room.route("/reach-warnings/<uuid:warning_id>/lift", may=P.MANAGE_DUTIES, methods=("POST",), if_match=True, refuses=(409,))
@room.response(200, ReachWarningOut)
def lift_reach_warning(warning_id: UUID) -> ReachWarning:
    """Lift a warning: yesterday was its last day."""
    expected = expected_version()
    row = duty_lists.get_warning(current_actor(), warning_id, lock=True)
    refuse_stale(expected, row.version)
    duty_actions.lift_warning(row, by=current_actor(), today=today())
    set_etag(row.version)
    return row
