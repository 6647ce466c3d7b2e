"""Autovacuum comes after 2 % of dead rows instead of 20: what the purge deletes daily leaves room for what comes."""

from django.db import migrations

TABLES = ("message", "conversationevent", "conversation", "candidate", "receipt")
SETTINGS = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0005_count_in_the_index")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE conversations_{table} SET ({SETTINGS})",
            f"ALTER TABLE conversations_{table} RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
        )
        for table in TABLES
    ]
