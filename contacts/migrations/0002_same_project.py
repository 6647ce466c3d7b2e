"""An identity, its contact and its app are in one project."""

from django.db import migrations

from projects.constraints import same_parent


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0001_contacts_identities_and_consents"),
        ("projects", "0001_accounts_projects_apps_and_keys"),
    ]
    operations = [
        same_parent(
            "contacts_channelidentity", ("contact_id", "project_id"), "contacts_contact", on_delete="CASCADE"
        ),
        same_parent(
            "contacts_channelidentity", ("app_id", "project_id"), "projects_app", on_delete="CASCADE"
        ),
    ]
