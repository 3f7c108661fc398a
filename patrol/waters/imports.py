"""Importing the district's registers: read the file, plan every row, then write all of it or nothing."""

from uuid import UUID

from flask import current_app

from patrol.foundation import events
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.events import HandlingLost
from patrol.people.permissions import Permission as P
from patrol.people.permissions import Role, permissions_of
from patrol.people.sign_in import end_sign_ins
from patrol.waters import co_chiefs, odd_levels
from patrol.waters.far_reaches import far_reaches
from patrol.waters.import_appointments import plan_appointments
from patrol.waters.import_columns import ImportKind, ReadFile, read_rows
from patrol.waters.import_files import read_table
from patrol.waters.import_people import kept_passwords, new_hashes, plan_people
from patrol.waters.import_plan import ImportReport, Planned, settle
from patrol.waters.import_regions import plan_regions, settle_paths
from patrol.waters.import_waters import far_boards, plan_reaches, plan_signboards, plan_water_bodies
from patrol.waters.register import hold_registers, register_changed
from patrol.waters.vacancies import left_without_chief

# Some 15 seconds of hashing: what a request may take. The command has no limit.
MOST_PASSWORDS_BY_REQUEST = 300
# The audit log names this many of the changed rows; their number stands beside them.
_AUDITED_CHANGES = 200
_PLANS = {
    ImportKind.REGIONS: plan_regions, ImportKind.WATER_BODIES: plan_water_bodies, ImportKind.REACHES: plan_reaches,
    ImportKind.APPOINTMENTS: plan_appointments, ImportKind.SIGNBOARDS: plan_signboards,
}  # fmt: skip


def run_import(
    kind: ImportKind, data: bytes, *, by: Actor, dry_run: bool = False, most_passwords: int | None = MOST_PASSWORDS_BY_REQUEST
) -> ImportReport:
    """Import a register file, all or nothing, in a transaction of its own; `dry_run` and any error write nothing.

    Raises Invalid or TooLarge for a file that cannot be read as rows at all; faults of rows are in the report.
    """
    file = read_rows(read_table(data), kind)
    hashes = new_hashes(file.rows, by, file.faults, most_passwords) if kind is ImportKind.PEOPLE else {}
    if dry_run:
        db.session.rollback()
        return _bring_in(kind, file, hashes, by, write=False)
    with transaction():
        hold_registers()
        return _bring_in(kind, file, hashes, by, write=True)


def _bring_in(kind: ImportKind, file: ReadFile, hashes: dict[str, str], by: Actor, *, write: bool) -> ImportReport:
    rows, faults = file.rows, file.faults
    planned = plan_people(rows, by, faults, hashes) if kind is ImportKind.PEOPLE else _PLANS[kind](rows, by, faults)
    report = ImportReport(
        errors=sorted(set(faults), key=lambda fault: (fault.row, fault.field)), warnings=list(file.warnings), headings=file.headings
    )
    if kind is ImportKind.SIGNBOARDS:
        report.warnings += far_boards(planned, current_app.extensions["settings"].routing_tolerance_m)
    if report.errors and write:
        return report
    # What a rehearsal counts is what would be written: a row with a fault never would.
    faulty = {fault.row for fault in report.errors}
    planned = [item for item in planned if item.row not in faulty]
    if kind is ImportKind.REGIONS:
        report.warnings += odd_levels.odd_regions(planned)
    if kind is ImportKind.REACHES:
        report.warnings += sorted([*odd_levels.odd_reaches(planned), *far_reaches(planned)], key=lambda fault: fault.row)
    if kind is ImportKind.APPOINTMENTS:
        told = [*co_chiefs.warnings_of(planned), *odd_levels.odd_chiefs(planned), *left_without_chief(planned)]
        report.warnings += sorted(told, key=lambda fault: fault.row)
    if kind is ImportKind.PEOPLE:
        report.warnings += kept_passwords(rows, planned)
    # Before anything is written: afterwards nobody can tell a new password from the old one.
    new_passwords = [item.existing.id for item in planned if item.existing is not None and "password_hash" in item.values]
    corrected = [item for item in planned if kind is ImportKind.APPOINTMENTS and item.existing is not None and "valid_from" in item.changes()]
    corrections = [(item.existing.id, item.existing.valid_from, item.values["valid_from"]) for item in corrected]
    lost = [item.existing.id for item in planned if item.existing is not None and _loses_handling(item)]
    settle(planned, report, write=write)
    if write:
        if report.touched:
            _follow_up(kind, planned, new_passwords)
        for person_id in lost:
            events.record(HandlingLost(person_id=person_id))
        for appointment_id, before, valid_from in corrections:
            note_audit(by, "correct_appointment", str(appointment_id), before=before.isoformat(), valid_from=valid_from.isoformat())
        note_audit(
            by, "import", kind.value, created=report.created, updated=report.updated, unchanged=report.unchanged,
            changes=[change._asdict() for change in report.changes[:_AUDITED_CHANGES]],
        )
    return report


def _loses_handling(item: Planned) -> bool:
    if "role_names" not in item.values or P.HANDLE_ISSUE not in item.existing.permissions:
        return False
    return P.HANDLE_ISSUE not in permissions_of(frozenset(Role(name) for name in item.values["role_names"]))


def _follow_up(kind: ImportKind, planned: list[Planned], new_passwords: list[UUID]) -> None:
    if kind is ImportKind.REGIONS:
        if any(item.existing is not None for item in planned):
            settle_paths()
        register_changed(reaches=False, regions=True)
    if kind is ImportKind.REACHES:
        register_changed()
    for person_id in new_passwords:
        end_sign_ins(person_id)
