"""Who is acting: the facts about the signed-in account that rules, scopes and history need, as a plain value."""

from dataclasses import dataclass
from uuid import UUID

from patrol.people.permissions import Permission, Role


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The signed-in person, or the system itself (`person_id` None) acting by a named rule.

    `sees_all_regions` says that there is no region outside the actor's subtree; False may also mean that nobody looked.
    """

    person_id: UUID | None
    name: str
    title: str | None = None
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    region_id: UUID | None
    region_path: str
    department: str | None = None
    sign_in_id: UUID | None = None
    sees_all_regions: bool = False

    def may(self, permission: Permission) -> bool:
        """Tell whether this actor holds `permission`."""
        return permission in self.permissions

    def covers(self, region_path: str) -> bool:
        """Tell whether a region lies in this actor's subtree."""
        return region_path.startswith(self.region_path)


SYSTEM = Actor(
    person_id=None, name="system", roles=frozenset(), permissions=frozenset(Permission), region_id=None, region_path="/"
)
