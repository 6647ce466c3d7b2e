"""A conversation's app and contact are in one project; a message's and an event's app is its conversation's."""

from django.db import migrations

from projects.constraints import same_parent


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0001_conversations_and_messages"),
        ("contacts", "0001_contacts_identities_and_consents"),
        ("projects", "0001_accounts_projects_apps_and_keys"),
    ]
    operations = [
        same_parent("conversations_conversation", ("app_id", "project_id"), "projects_app"),
        same_parent(
            "conversations_conversation",
            ("contact_id", "project_id"),
            "contacts_contact",
            on_delete="SET NULL (contact_id)",
        ),
        same_parent("conversations_message", ("app_id", "project_id"), "projects_app"),
        same_parent(
            "conversations_message",
            ("conversation_id", "app_id"),
            "conversations_conversation",
            parent_columns=("id", "app_id"),
        ),
        same_parent("conversations_conversationevent", ("app_id", "project_id"), "projects_app"),
        same_parent(
            "conversations_conversationevent",
            ("conversation_id", "app_id"),
            "conversations_conversation",
            parent_columns=("id", "app_id"),
        ),
    ]
