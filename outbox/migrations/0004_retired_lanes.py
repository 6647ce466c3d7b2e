from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbox", "0003_lane_width_and_order")]

    operations = [migrations.AddField("lane", "retired_at", models.DateTimeField(null=True))]
