"""A justification, or a debt, belongs to one app, scope, type and TTL: it serves no other policy."""

from django.db import migrations

FITS = """
    ALTER TABLE {child} ADD CONSTRAINT {child}_{column}_fits
    FOREIGN KEY ({column}, app_id, scope, retention_type, ttl_days)
    REFERENCES {parent} (id, app_id, scope, retention_type, ttl_days)
"""


def fits(child: str, column: str, parent: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        FITS.format(child=child, column=column, parent=parent),
        f"ALTER TABLE {child} DROP CONSTRAINT {child}_{column}_fits",
    )


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_policies_justifications_and_debts")]
    operations = [
        fits("retention_retentionpolicy", "justification_id", "retention_justification"),
        fits("retention_retentionpolicy", "owed_id", "retention_oweditem"),
        fits("retention_oweditem", "justification_id", "retention_justification"),
    ]
