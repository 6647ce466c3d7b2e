"""The ground floor's entry in the app registry."""

from django.apps import AppConfig

from outbox import kinds


class ProjectsConfig(AppConfig):
    """Accounts, people, projects, apps, credentials and keys."""

    name = "projects"
    verbose_name = "Projects"

    def ready(self) -> None:
        """Tell the outbox how mails are loaded, sent and recorded."""
        from projects.mail.mailing import Mailing  # noqa: PLC0415 - models exist only now

        kinds.register(Mailing())
