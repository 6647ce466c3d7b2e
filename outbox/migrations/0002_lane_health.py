import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_lanes_and_entries")]

    operations = [
        migrations.AddField("lane", "strain", models.FloatField(db_default=0.0)),
        migrations.AddField(
            "lane",
            "failed_entries",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], size=None
            ),
        ),
        migrations.AddField("lane", "trips", models.PositiveSmallIntegerField(db_default=0)),
        migrations.AddField("lane", "narrowed_to", models.PositiveSmallIntegerField(null=True)),
        migrations.AddField("lane", "usual_seconds", models.FloatField(db_default=0.0)),
    ]
