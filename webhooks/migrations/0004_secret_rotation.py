"""Secrets are rotated with an overlap, and a webhook may take 4xx for final."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import projects.fields


class Migration(migrations.Migration):
    dependencies = [
        ("pghistory", "0007_auto_20250421_0444"),
        ("webhooks", "0003_replays"),
    ]

    operations = [
        migrations.CreateModel(
            name="RetiredSecret",
            fields=[
                ("id", projects.fields.PublicIdField(serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("secret", projects.fields.SecretField(blank=True, default="", editable=False)),
                ("not_after", models.DateTimeField()),
                ("leads", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="RetiredSecretEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", projects.fields.PublicIdField(primary_key=False, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("not_after", models.DateTimeField()),
                ("leads", models.BooleanField(default=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="webhook",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="webhook",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="webhook",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="attempt",
            name="signed_with",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="webhook",
            name="is_4xx_final",
            field=models.BooleanField(
                default=False,
                help_text="An answer of 4xx gives the event up. Otherwise it is tried again, as after any failure.",
                verbose_name="4xx is final",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="overlap_ends_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="webhook",
            name="secret_number",
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="is_4xx_final",
            field=models.BooleanField(
                default=False,
                help_text="An answer of 4xx gives the event up. Otherwise it is tried again, as after any failure.",
                verbose_name="4xx is final",
            ),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="overlap_ends_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="secret_number",
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="webhook",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "webhooks_webhookevent" ("app_id", "client_id", "created_at", "disabled_at", "disabled_reason", "id", "is_4xx_final", "overlap_ends_at", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project_id", "secret_number", "target", "target_type", "token_endpoint", "token_request_type", "token_response_type", "token_scope", "triggers") VALUES (NEW."app_id", NEW."client_id", NEW."created_at", NEW."disabled_at", NEW."disabled_reason", NEW."id", NEW."is_4xx_final", NEW."overlap_ends_at", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."project_id", NEW."secret_number", NEW."target", NEW."target_type", NEW."token_endpoint", NEW."token_request_type", NEW."token_response_type", NEW."token_scope", NEW."triggers"); RETURN NULL;',
                    hash="fec4caaee89263e2aced85be33590435df6d451d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_b6e67",
                    table="webhooks_webhook",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="webhook",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."app_id" IS DISTINCT FROM (NEW."app_id") OR OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."disabled_at" IS DISTINCT FROM (NEW."disabled_at") OR OLD."disabled_reason" IS DISTINCT FROM (NEW."disabled_reason") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_4xx_final" IS DISTINCT FROM (NEW."is_4xx_final") OR OLD."overlap_ends_at" IS DISTINCT FROM (NEW."overlap_ends_at") OR OLD."project_id" IS DISTINCT FROM (NEW."project_id") OR OLD."secret_number" IS DISTINCT FROM (NEW."secret_number") OR OLD."target" IS DISTINCT FROM (NEW."target") OR OLD."target_type" IS DISTINCT FROM (NEW."target_type") OR OLD."token_endpoint" IS DISTINCT FROM (NEW."token_endpoint") OR OLD."token_request_type" IS DISTINCT FROM (NEW."token_request_type") OR OLD."token_response_type" IS DISTINCT FROM (NEW."token_response_type") OR OLD."token_scope" IS DISTINCT FROM (NEW."token_scope") OR OLD."triggers" IS DISTINCT FROM (NEW."triggers"))',
                    func='INSERT INTO "webhooks_webhookevent" ("app_id", "client_id", "created_at", "disabled_at", "disabled_reason", "id", "is_4xx_final", "overlap_ends_at", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project_id", "secret_number", "target", "target_type", "token_endpoint", "token_request_type", "token_response_type", "token_scope", "triggers") VALUES (NEW."app_id", NEW."client_id", NEW."created_at", NEW."disabled_at", NEW."disabled_reason", NEW."id", NEW."is_4xx_final", NEW."overlap_ends_at", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."project_id", NEW."secret_number", NEW."target", NEW."target_type", NEW."token_endpoint", NEW."token_request_type", NEW."token_response_type", NEW."token_scope", NEW."triggers"); RETURN NULL;',
                    hash="8df7e0b4a0d789ab481a961aefb908721553a50c",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_86703",
                    table="webhooks_webhook",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="webhook",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "webhooks_webhookevent" ("app_id", "client_id", "created_at", "disabled_at", "disabled_reason", "id", "is_4xx_final", "overlap_ends_at", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project_id", "secret_number", "target", "target_type", "token_endpoint", "token_request_type", "token_response_type", "token_scope", "triggers") VALUES (OLD."app_id", OLD."client_id", OLD."created_at", OLD."disabled_at", OLD."disabled_reason", OLD."id", OLD."is_4xx_final", OLD."overlap_ends_at", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."project_id", OLD."secret_number", OLD."target", OLD."target_type", OLD."token_endpoint", OLD."token_request_type", OLD."token_response_type", OLD."token_scope", OLD."triggers"); RETURN NULL;',
                    hash="b8908c0942e382803f1bf819de77455278f0c66c",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_74817",
                    table="webhooks_webhook",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="retiredsecret",
            name="webhook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="retired_secrets",
                to="webhooks.webhook",
            ),
        ),
        migrations.AddField(
            model_name="retiredsecretevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="retiredsecretevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="webhooks.retiredsecret",
            ),
        ),
        migrations.AddField(
            model_name="retiredsecretevent",
            name="webhook",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="webhooks.webhook",
            ),
        ),
        migrations.AddConstraint(
            model_name="retiredsecret",
            constraint=models.UniqueConstraint(
                fields=("webhook", "number"), name="retired_secret_is_one_of_its_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="retiredsecret",
            constraint=models.CheckConstraint(
                condition=models.Q(("secret", ""), _negated=True), name="retired_secret_is_one"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="retiredsecret",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "webhooks_retiredsecretevent" ("id", "leads", "not_after", "number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "webhook_id") VALUES (NEW."id", NEW."leads", NEW."not_after", NEW."number", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."webhook_id"); RETURN NULL;',
                    hash="692f05a8da3e79beffd6776506faf9f4d9d6b535",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7ac25",
                    table="webhooks_retiredsecret",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="retiredsecret",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."leads" IS DISTINCT FROM (NEW."leads") OR OLD."not_after" IS DISTINCT FROM (NEW."not_after") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."webhook_id" IS DISTINCT FROM (NEW."webhook_id"))',
                    func='INSERT INTO "webhooks_retiredsecretevent" ("id", "leads", "not_after", "number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "webhook_id") VALUES (NEW."id", NEW."leads", NEW."not_after", NEW."number", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."webhook_id"); RETURN NULL;',
                    hash="a9773dcbfcf81456065233d605ff6b8c33ce778e",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_33924",
                    table="webhooks_retiredsecret",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="retiredsecret",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "webhooks_retiredsecretevent" ("id", "leads", "not_after", "number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "webhook_id") VALUES (OLD."id", OLD."leads", OLD."not_after", OLD."number", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."webhook_id"); RETURN NULL;',
                    hash="aa5e999c1e04c44943520d1e55851dd94df13333",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_84c49",
                    table="webhooks_retiredsecret",
                    when="AFTER",
                ),
            ),
        ),
    ]
