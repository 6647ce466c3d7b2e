"""A webhook is in its app's project."""

from django.db import migrations

from projects.constraints import same_parent


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0001_webhooks_events_and_attempts"),
        ("projects", "0001_accounts_projects_apps_and_keys"),
    ]
    operations = [
        same_parent("webhooks_webhook", ("app_id", "project_id"), "projects_app", on_delete="CASCADE"),
    ]
