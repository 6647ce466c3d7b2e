"""Talk's entry in the app registry."""

from django.apps import AppConfig

from outbox import kinds


class ConversationsConfig(AppConfig):
    """Conversations and messages."""

    name = "conversations"
    verbose_name = "Conversations"

    def ready(self) -> None:
        """Tell the outbox how our entries are loaded, read and recorded."""
        from conversations.delivery import Echoing, Sending  # noqa: PLC0415  # models exist only now

        kinds.register(Sending())
        kinds.register(Echoing())
