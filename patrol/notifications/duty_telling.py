"""Reminders of duties become messages of the person and go out on the person's channels."""

from patrol.foundation.events import subscribe
from patrol.notifications.recipients import Recipients
from patrol.notifications.telling import write_notes
from patrol.patrols.events import DutyReminded


@subscribe(DutyReminded)
def tell_of_duty(event: DutyReminded) -> None:
    """Write the reminder's message and deliveries; no webhook hears of what single people have left to do."""
    facts = {
        "required": event.facts["required"], "left": event.facts["left"],
        "first_day": event.first_day.isoformat(), "last_day": event.last_day.isoformat(),
        "place": "、".join(reach["name"] for reach in event.facts["reaches"]),
    }  # fmt: skip
    write_notes(
        cause=f"duty:{event.reminder_id}", kind=f"duty.{event.kind}", subject_kind="duty_reminder", subject_id=event.reminder_id,
        facts=facts, recipients=Recipients([event.person_id], None), region_path=None, payload={},
    )  # fmt: skip
