"""The roof's entries in the app registry."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig

from portal.celery import app as celery_app

__all__ = [
    "PortalAdminConfig",
    "PortalConfig",
    "PortalStaticFilesConfig",
    "celery_app",
]  # a task's `.delay` finds the app by its being made


class PortalConfig(AppConfig):
    """Commands, templates and static files of the portal."""

    name = "portal"
    verbose_name = "Portal"


class PortalStaticFilesConfig(StaticFilesConfig):
    """Static files, but for what libraries bring along and no page asks for."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "redoc",
        "rest_framework",
        "swagger-ui-standalone-preset*",
    ]


class PortalAdminConfig(AdminConfig):
    """Django's admin, with our own site."""

    default_site = "portal.site.PortalSite"
