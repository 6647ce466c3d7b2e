"""Talk's entry in the app registry."""

from django.apps import AppConfig

from outbox import kinds


class ConversationsConfig(AppConfig):
    """Conversations and messages."""

    name = "conversations"
    verbose_name = "Conversations"

    def ready(self) -> None:
        """Tell the outbox how our entries are loaded, read and recorded."""
        # Models exist only now.
        from conversations.events.delivery import EventSending  # noqa: PLC0415
        from conversations.hearing.capability import Asking  # noqa: PLC0415
        from conversations.reaching.delivery import Echoing, Sending  # noqa: PLC0415

        for kind in (Sending(), EventSending(), Asking(), Echoing()):
            kinds.register(kind)
