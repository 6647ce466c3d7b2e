"""The index that the purge and the preview count in also holds the mode: nothing is looked up in the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0004_keep_dispatched_metadata"),
        ("projects", "0002_mails"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="message",
            name="message_of_app",
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["app", "accept_time", "id"], include=("processing_mode",), name="message_of_app"
            ),
        ),
    ]
