"""Who may do what in which project: what each role of a membership grants in the portal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest

from projects.models import Membership, Project, Role


class Right(StrEnum):
    """What a member may change. Seeing takes no right, only membership."""

    PEOPLE = "PEOPLE"  # users, memberships and keys
    OPERATION = "OPERATION"  # apps, credentials, webhooks, contacts
    RETENTION = "RETENTION"  # policies and their justifications


GRANTS: Final[Mapping[str, frozenset[Right]]] = {
    Role.ADMIN: frozenset(Right),
    Role.OPERATOR: frozenset({Right.OPERATION, Right.RETENTION}),
    Role.COMPLIANCE: frozenset({Right.RETENTION}),
    Role.VIEWER: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a person's memberships go. Who runs the installation reaches everything."""

    is_unlimited: bool
    roles: Mapping[UUID, str]

    def sees(self, project_id: UUID | None) -> bool:
        """Whether the project exists for this person."""
        return self.is_unlimited or project_id in self.roles

    def may(self, right: Right, project_id: UUID | None = None) -> bool:
        """Whether they have the right in this project; without one, in any."""
        if self.is_unlimited:
            return True
        if project_id is None:
            return any(right in GRANTS[role] for role in self.roles.values())
        return right in GRANTS.get(self.roles.get(project_id, ""), frozenset())

    def project_ids(self, right: Right | None = None) -> list[UUID]:
        """The projects they see; with a right, those in which they have it."""
        return [id_ for id_, role in self.roles.items() if right is None or right in GRANTS[role]]

    def projects(self, right: Right | None = None) -> QuerySet[Project]:
        """The same as rows."""
        if self.is_unlimited:
            return Project.objects.all()
        return Project.objects.filter(pk__in=self.project_ids(right))


def reach(request: HttpRequest) -> Reach:
    """How far the person behind the request may reach; asked of the database once a request."""
    known: Reach | None = getattr(request, "_reach", None)
    if known is None:
        known = _reach_of(request.user)
        request._reach = known  # type: ignore[attr-defined]  # the request is where Django keeps such things
    return known


def _reach_of(user: Any) -> Reach:
    if not user.is_active or not user.is_staff:
        return Reach(is_unlimited=False, roles={})
    if user.is_superuser:
        return Reach(is_unlimited=True, roles={})
    return Reach(
        is_unlimited=False,
        roles=dict(Membership.objects.filter(user=user).values_list("project_id", "role")),
    )
