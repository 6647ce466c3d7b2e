import django.contrib.postgres.fields
from django.db import migrations, models

import projects.fields


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0001_accounts_projects_apps_and_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", projects.fields.PublicIdField(serialize=False)),
                ("about", models.CharField(max_length=64)),
                (
                    "recipients",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.EmailField(max_length=254), size=None
                    ),
                ),
                ("subject", models.CharField(max_length=255)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="mail_by_age")],
            },
        ),
    ]
