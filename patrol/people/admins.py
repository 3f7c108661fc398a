"""That somebody always stays who may manage the accounts of each admin's area."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.people.models import Person, Region
from patrol.people.permissions import Role
from patrol.people.queries import holds

LAST_ADMIN = Text(
    "{name} 是该辖区最后一个可用的系统管理员：请先把 admin 角色交给他人（服务器上可用 flask people add 新建管理员）",
    "{name} is the last active admin of this area: give the role admin to somebody else first (on the server `flask people add` makes one)",
)


def active_admins() -> dict[UUID, str]:
    """Return the path of the region of each admin whose account is enabled, locked until the transaction ends."""
    rows = db.session.execute(
        select(Person.id, Region.path).join(Region, Region.id == Person.region_id)
        .where(holds(Role.ADMIN), Person.disabled_at.is_(None))
        .order_by(Person.id).with_for_update(of=Person)
    )  # fmt: skip
    return dict(rows.all())


def left_alone(before: Mapping[UUID, str], after: Mapping[UUID, str]) -> set[UUID]:
    """Return those admins of `before` whose area no admin of `after` covers any more. Pure."""
    return {person_id for person_id, path in before.items() if not any(path.startswith(other) for other in after.values())}
