"""An app that is held is of the hold's project; and who releases a hold comes after who placed it, and is another."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from projects.constraints import same_parent


class Migration(migrations.Migration):
    dependencies = [
        ("retention", "0014_versions_follow_each_other"),
    ]

    operations = [
        same_parent("retention_legalhold", ("app_id", "project_id"), "projects_app"),
        pgtrigger.migrations.AddTrigger(
            model_name="legalholdrelease",
            trigger=pgtrigger.compiler.Trigger(
                name="released_by_another",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE placed RECORD;",
                    func="\n    SELECT hold.placed_at, hold.placed_by_id, project.demands_four_eyes INTO placed\n    FROM retention_legalhold AS hold JOIN projects_project AS project ON project.id = hold.project_id\n    WHERE hold.id = NEW.hold_id;\n    IF NEW.released_at < placed.placed_at THEN\n        RAISE EXCEPTION 'pgtrigger: Cannot release a hold before it is placed';\n    END IF;\n    IF placed.demands_four_eyes AND (NEW.released_by_id IS NULL OR NEW.released_by_id = placed.placed_by_id) THEN\n        RAISE EXCEPTION 'pgtrigger: Cannot release a hold without a second person';\n    END IF;\n    RETURN NEW;\n",
                    hash="74a71688b9254a0406c7eed3ab3509f2818ec084",
                    operation="INSERT",
                    pgid="pgtrigger_released_by_another_4a286",
                    table="retention_legalholdrelease",
                    when="BEFORE",
                ),
            ),
        ),
    ]
