"""The index that the purge and the preview count in also holds the channel: nothing is looked up in the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0006_vacuum_what_expires"),
        ("projects", "0003_app_announces_expiry"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="message",
            name="message_of_app",
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["app", "accept_time", "id"],
                include=("processing_mode", "channel"),
                name="message_of_app",
            ),
        ),
    ]
