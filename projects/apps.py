"""The ground floor's entry in the app registry."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Accounts, people, projects, apps, credentials and keys."""

    name = "projects"
    verbose_name = "Projects"
