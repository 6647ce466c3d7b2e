from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbox", "0002_lane_health")]

    operations = [
        migrations.AddField("lane", "width", models.PositiveSmallIntegerField(db_default=8)),
        migrations.AddField("lane", "is_ordered", models.BooleanField(db_default=False)),
        migrations.AddConstraint(
            "lane",
            models.CheckConstraint(
                condition=models.Q(("width__gte", 1), ("width__lte", 64)), name="outbox_lane_has_a_width"
            ),
        ),
    ]
