"""People: whom this server tells when something of a project needs looking at."""

from __future__ import annotations

from django.conf import settings

from projects.models import Project, Role, User


def in_charge(project: Project) -> list[str]:
    """The e-mail addresses of the project's administrators and of its account manager."""
    administrators = User.objects.filter(
        is_active=True, memberships__project=project, memberships__role=Role.ADMIN
    ).order_by("pk")
    addresses = list(administrators.values_list("email", flat=True))
    manager = project.account.manager_email or settings.ACCOUNT_MANAGER_EMAIL
    return [address for address in dict.fromkeys([*addresses, manager]) if address]


def running_this() -> list[str]:
    """Those of who runs the installation."""
    running = User.objects.filter(is_active=True, is_superuser=True).exclude(email="").order_by("pk")
    return list(running.values_list("email", flat=True))
