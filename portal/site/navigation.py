"""What stands in the portal's navigation, in which group and order."""

from typing import Any, Final

GROUPS: Final = {
    "Projects": ("projects.app", "projects.channelcredential", "projects.project", "projects.account"),
    "Messaging": (
        "conversations.conversation",
        "conversations.message",
        "conversations.template",
        "contacts.contact",
    ),
    "Delivery": ("webhooks.webhook", "webhooks.event", "webhooks.attempt", "webhooks.deadletter"),
    "Compliance": (
        "retention.retentionpolicy",
        "retention.changerequest",
        "retention.oweditem",
        "retention.justification",
        "retention.legalhold",
        "retention.purge",
        "retention.privacyrequest",
    ),
    "People & keys": ("projects.user", "projects.membership", "projects.accesskey"),
}


def grouped(rooms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Django's list of rooms and their pages, as our groups; a page that no group names comes last."""
    pages = {page["model"]._meta.label_lower: page for room in rooms for page in room["models"]}
    groups = {
        name: [pages.pop(label) for label in labels if label in pages] for name, labels in GROUPS.items()
    }
    groups["Others"] = list(pages.values())
    return [
        {"name": name, "app_label": name, "app_url": "", "has_module_perms": True, "models": members}
        for name, members in groups.items()
        if members
    ]
