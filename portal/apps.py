"""The roof's entries in the app registry."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from portal.celery import app as celery_app

__all__ = [
    "PortalAdminConfig",
    "PortalConfig",
    "celery_app",
]  # a task's `.delay` finds the app by its being made


class PortalConfig(AppConfig):
    """Commands, templates and static files of the portal."""

    name = "portal"
    verbose_name = "Portal"


class PortalAdminConfig(AdminConfig):
    """Django's admin, with our own site."""

    default_site = "portal.site.PortalSite"
