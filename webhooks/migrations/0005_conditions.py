"""How each webhook is doing."""

from django.db import migrations, models

import projects.fields

# A hot row: its updates stay on its page.
ROOMY = "ALTER TABLE webhooks_condition SET (fillfactor = 50)"


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0004_secret_rotation"),
    ]

    operations = [
        migrations.CreateModel(
            name="Condition",
            fields=[
                ("webhook_id", projects.fields.ULIDField(primary_key=True, serialize=False)),
                ("streak", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("refusals", models.PositiveIntegerField(default=0)),
                ("warnings", models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(ROOMY, migrations.RunSQL.noop),
    ]
