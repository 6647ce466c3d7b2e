"""Projects full of talk: contacts, each with a conversation, and messages on all of them, young enough to be served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from gateway.channels.base import Channel
from outbox import entries
from projects import ids, keys
from projects.models import Account, App, ChannelCredential, Project
from webhooks import subscribing
from webhooks.triggers import Trigger

# An id is the milliseconds of its moment, then chance: as ids.ulid() makes them.
_ID: Final = """(lpad(to_hex((extract(epoch FROM {moment}) * 1000)::bigint), 12, '0')
    || substr(md5(random()::text), 1, 20))::uuid"""

_CONTACTS: Final = f"""
    WITH contact AS (
        INSERT INTO contacts_contact (
            id, project_id, display_name, email, external_id, language, metadata, channel_priority, created_at
        )
        SELECT {_ID.format(moment="moment")}, %(project)s, 'Contact ' || number, '', 'crm-' || number,
            'UNSPECIFIED', '', '{{}}', moment
        FROM generate_series(1, %(contacts)s) AS number,
            LATERAL (SELECT now() - interval '1 year' - number * interval '1 minute' AS moment) AS of
        RETURNING id, created_at
    ), identity AS (
        INSERT INTO contacts_channelidentity (contact_id, project_id, channel, identity, position)
        SELECT id, %(project)s, 'SANDBOX', (46700000000 + 100 * row_number() OVER ())::text || '10', 0
        FROM contact
    )
    INSERT INTO conversations_conversation (
        id, project_id, app_id, contact_id, active_channel, metadata, metadata_json, correlation_id, created_at,
        newest_accept_time, newest_ever_accept_time
    )
    SELECT {_ID.format(moment="created_at")}, %(project)s, %(app)s, id, 'SANDBOX', '', '{{}}', '', created_at,
        now(), now()
    FROM contact
"""  # noqa: S608 -- our own text

_MESSAGES: Final = f"""
    WITH conversation AS (
        SELECT id, row_number() OVER () AS place FROM conversations_conversation WHERE app_id = %(app)s
    )
    INSERT INTO conversations_message (
        id, project_id, app_id, conversation_id, direction, content, metadata, accept_time, processing_mode,
        injected, sender_id, channel, identity, credential_id, channel_message_id, correlation_id, callback_url,
        channel_properties, is_urgent, content_type, status, status_at
    )
    SELECT {_ID.format(moment="moment")}, %(project)s, %(app)s, conversation.id,
        CASE WHEN number %% 2 = 0 THEN 'TO_CONTACT' ELSE 'TO_APP' END,
        jsonb_build_object('text_message', jsonb_build_object('text', 'Message ' || number || ': see you soon')),
        '', moment, 'CONVERSATION', false, '', 'SANDBOX', '46700000010', %(credential)s, number::text, '', '',
        '{{}}', false, 'CONTENT_UNKNOWN', CASE WHEN number %% 2 = 0 THEN 'DELIVERED' ELSE '' END,
        CASE WHEN number %% 2 = 0 THEN moment END
    FROM generate_series(%(first)s, %(last)s) AS number
    JOIN conversation ON conversation.place = 1 + number %% %(contacts)s,
        LATERAL (SELECT now() - number * interval '1 second' AS moment) AS of
"""  # noqa: S608 -- our own text
_BATCH: Final = 500_000


@dataclass(frozen=True, slots=True)
class Talk:
    """A project that is full, and a token that opens it."""

    project: Project
    app: App
    token: str

    def contact_ids(self, count: int) -> list[str]:
        """Some of its contacts."""
        return list(self.project.contacts.order_by("id").values_list("pk", flat=True)[:count])


def make(*, contacts: int, messages: int) -> Talk:
    """A project with so many of them, one app on the sandbox, and one webhook that listens to everything."""
    project = Project.objects.create(name="Benchmark", account=Account.objects.create(name="Benchmark"))
    app = App.objects.create(project=project, display_name="Benchmark")
    credential = ChannelCredential.objects.create(
        app=app, channel=Channel.SANDBOX, key="static_bearer", values={"token": "opens-nothing"}
    )
    subscribing.create(app=app, target="http://127.0.0.1:9/", triggers=list(Trigger))
    entries.open_lane("message", ids.to_uuid(credential.id))
    terms: dict[str, Any] = {
        "project": project.id,
        "app": ids.to_uuid(app.id),
        "credential": ids.to_uuid(credential.id),
        "contacts": contacts,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONTACTS, terms)
        cursor.execute("ANALYZE conversations_conversation")  # or the next is planned for a handful of them
        for first in range(1, messages + 1, _BATCH):
            last = min(first + _BATCH - 1, messages)
            cursor.execute(_MESSAGES, terms | {"first": first, "last": last})
    key, secret = keys.issue(project=project)
    return Talk(project, app, keys.token(keys.identify(key.id, secret)))
