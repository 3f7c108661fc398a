"""The dry run of look-backs over HTTP: what another share would have drawn. Its versions are served with those of the issues' policies."""

from marshmallow import fields

from patrol.issues.policies import Kind
from patrol.issues.policy_api import publish_dry_run
from patrol.issues.policy_schemas import DaysDryRunArgs, DryRunOut
from patrol.supervision.look_back_trials import drawings_changed_by


class LookBackDryRunOut(DryRunOut):
    candidates = fields.Integer(required=True, metadata={"description": "Closed issues of the severity among which was drawn."})
    drawn_before = fields.Integer(required=True)
    drawn_after = fields.Integer(required=True)
    changed = fields.Integer(required=True)


publish_dry_run(Kind.LOOK_BACK, DaysDryRunArgs, LookBackDryRunOut, drawings_changed_by)
