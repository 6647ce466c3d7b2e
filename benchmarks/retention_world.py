"""Many messages of many apps, for the benchmark of the purge: each app's become due when it is told so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from contacts.models import Contact
from conversations.models import Candidate, Conversation, Direction, Message, Receipt, Status
from projects import clock, ids
from projects.models import Account, App, ProcessingMode, Project
from retention.deciding.grounds import Giver, Ground, take_down
from retention.deciding.ruling import Policy
from retention.models import HoldScope, LegalHold, RetentionPolicy, Via
from retention.policies import PolicyType, Scope

OVERDUE: Final = timedelta(days=180)
KEY: Final = ids.ulid()  # by which policies are set
GROUND: Final = Ground("CONTRACT", "", "The benchmark keeps its messages until their turn has come.")
SATELLITES: Final = (Receipt, Candidate)

# One row as Django writes it, and as many like it as are wanted.
_LIKE = """
    INSERT INTO {table} ({columns})
    SELECT {values} FROM bench_message AS made, {table} AS sample WHERE sample.id = %s
"""
_MAKE = """
    CREATE TEMPORARY TABLE bench_message AS
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || substr(md5(random()::text), 1, 20))::uuid
        AS id, at, app_id, conversation_id
    FROM (
        SELECT c.app_id, c.id AS conversation_id, %s::timestamptz - random() * %s::interval AS at
        FROM conversations_conversation AS c, generate_series(1, %s) WHERE c.app_id = ANY(%s::uuid[])
    ) AS drawn ORDER BY at
"""


class World:
    """A project with apps that keep everything, until `let_expire`."""

    def __init__(self) -> None:
        self.project = Project.objects.create(account=Account.objects.create(name="B"), name="B")
        self.now = clock.now()
        self.rows = 0
        with connection.cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET autovacuum = off")
            cursor.execute("SELECT pg_reload_conf()")
        (app,) = self._new_apps(1)
        self._sample = self._write_one(app)
        self._filler = app

    @staticmethod
    def ids(apps: Iterable[App]) -> list[UUID]:
        """As PostgreSQL knows them."""
        return [ids.to_uuid(app.pk) for app in apps]

    @staticmethod
    def count(apps: Iterable[App]) -> int:
        """Their messages."""
        return Message.objects.filter(app__in=[app.pk for app in apps]).count()

    def apps(self, number: int, *, rows: int) -> list[App]:
        """So many new apps, which share the rows; all of them are older than 180 days."""
        apps = self._new_apps(number)
        self._fill(apps, rows // number, newest=OVERDUE)
        return apps

    def app_in_use(self, *, conversations: int, until: datetime) -> App:
        """An app that keeps messages for 180 days, as it was at that moment: each conversation has one of each day."""
        (app,) = self._new_apps(1)
        self._conversations(app, conversations)
        self.write([app], newest=self.now - until, talk=OVERDUE.days)
        self.let_expire([app], now=until)
        return app

    def write(
        self,
        apps: list[App],
        *,
        newest: timedelta,
        within: timedelta = OVERDUE,
        satellites: Sequence[Any] = SATELLITES,
        talk: int,
    ) -> None:
        """So many messages in each conversation, of the time before `newest`, in the order in which they came."""
        with connection.cursor() as cursor:
            span: list[Any] = [self.now - newest - timedelta(seconds=1), within, talk]
            cursor.execute(_MAKE, [*span, self.ids(apps)])
            made = cursor.rowcount
            cursor.execute(
                "SET session_replication_role = replica"
            )  # the keys are right: no row asks for its parents
            self._copy(cursor, Message, {"id": "made.id", "conversation_id": "made.conversation_id"})
            for satellite in satellites:
                self._copy(cursor, satellite, {"message_id": "made.id"})
            cursor.execute("RESET session_replication_role")
            cursor.execute(
                "UPDATE conversations_conversation SET created_at = oldest, newest_accept_time = newest,"
                " newest_ever_accept_time = newest FROM (SELECT conversation_id, min(at) AS oldest, max(at) AS newest"
                " FROM bench_message GROUP BY 1) AS found"
                " WHERE id = conversation_id"
            )
            cursor.execute("DROP TABLE bench_message")
        self.rows += made
        self._given = getattr(self, "_given", {}) | {app.pk: made // len(apps) for app in apps}

    def many_apps(self, number: int) -> list[App]:
        """Apps by default policy, each with a little that is due."""
        apps = App.objects.bulk_create(
            App(project=self.project, display_name=f"A {each}") for each in range(number)
        )
        self._fill(apps, 10, newest=OVERDUE)
        return list(apps)

    def grow(self, rows: int) -> None:
        """Until the table has so many rows, with messages that nobody deletes."""
        if rows > self.rows:
            self._fill(
                self._new_apps(8), (rows - self.rows) // 8, newest=timedelta(0), satellites=(), talk=100
            )

    def settle(self) -> None:
        """As a table is that has been there for a while."""
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")

    def rows_of(self, apps: Iterable[App]) -> int:
        """What `apps` gave them."""
        return sum(self._given[app.pk] for app in apps)

    def hold(self, apps: list[App], *, conversations: int) -> None:
        """Place holds on a few conversations that are due, and on many that are not."""
        share = conversations // len(apps)
        for app in apps:
            due = Conversation.objects.filter(app=app).values_list("pk", flat=True)[: share // 50]
            named = [*due, *(ids.ulid() for _ in range(share - share // 50))]
            LegalHold.objects.bulk_create(
                LegalHold(
                    project=self.project,
                    scope=HoldScope.CONVERSATION,
                    app=app,
                    conversation_id=conversation_id,
                    matter="Case 7",
                    placed_at=self.now,
                )
                for conversation_id in named
            )

    def let_expire(self, apps: list[App], *, now: datetime) -> None:
        """From now on their messages are kept for 180 days: all are due."""
        for app in apps:
            self._set(app, PolicyType.MESSAGE_EXPIRE_POLICY, number=2, at=now)

    def insert_statements(self, writers: int) -> list[str]:
        """What each writer repeats: one more message of a conversation of its own, and a look at a receipt."""
        talks = self._conversations(self._filler, writers)
        return [self._insert_statement(ids.to_uuid(talk.pk)) for talk in talks]

    def _insert_statement(self, talk: UUID) -> str:
        table, sample, receipt = Message._meta.db_table, ids.to_uuid(self._sample), Receipt._meta.db_table
        changes = f"'id', gen_random_uuid(), 'accept_time', now(), 'conversation_id', '{talk}'"
        return (
            f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table},"  # noqa: S608
            f" to_jsonb(sample) || jsonb_build_object({changes}))).* FROM {table} AS sample"
            f" WHERE sample.id = '{sample}';"
            f" UPDATE conversations_conversation SET newest_accept_time = now() WHERE id = '{talk}';"
            f" SELECT count(*) FROM {receipt} WHERE message_id = '{sample}'"
        )

    def _new_apps(self, number: int) -> list[App]:
        apps = [App.objects.create(project=self.project, display_name="A") for _ in range(number)]
        for app in apps:
            self._set(app, PolicyType.PERSIST_RETENTION_POLICY, number=1, at=self.now - OVERDUE)
        return apps

    def _set(self, app: App, retention_type: PolicyType, *, number: int, at: datetime) -> None:
        policy = Policy(scope=Scope.MESSAGES, retention_type=retention_type, ttl_days=OVERDUE.days)
        ground = take_down(GROUND, policy, app=app, giver=Giver(via=Via.API, author_key=KEY), now=at)
        RetentionPolicy.objects.create(
            app=app,
            number=number,
            retention_type=retention_type,
            ttl_days=OVERDUE.days,
            via=Via.API,
            author_key=KEY,
            created_at=at,
            effective_at=at,
            justification=ground,
        )

    def _write_one(self, app: App) -> str:
        conversation = self._conversations(app, 1)[0]
        message = Message.objects.create(
            project=self.project,
            app=app,
            conversation=conversation,
            direction=Direction.TO_CONTACT,
            content={"text_message": {"text": "We are glad to tell you that your order is on its way. " * 3}},
            accept_time=self.now,
            processing_mode=ProcessingMode.CONVERSATION,
            status=Status.DELIVERED,
            channel="SMS",
            identity="46700000010",
        )
        about: dict[str, Any] = {"app": app, "message_id": message.pk, "accept_time": self.now}
        Receipt.objects.create(**about, status=Status.DELIVERED, channel="SMS", occurred_at=self.now)
        Candidate.objects.create(**about, position=0, level="APP", channel="SMS", verdict="TAKEN")
        return str(message.pk)

    def _conversations(self, app: App, number: int) -> list[Conversation]:
        contacts = Contact.objects.bulk_create(Contact(project=self.project) for _ in range(number))
        return list(
            Conversation.objects.bulk_create(
                Conversation(project=self.project, app=app, contact=contact) for contact in contacts
            )
        )

    def _fill(
        self,
        apps: list[App],
        rows: int,
        *,
        newest: timedelta,
        satellites: Sequence[Any] = SATELLITES,
        talk: int = 10,
    ) -> None:
        """New conversations with messages of the half-year before `newest`."""
        for app in apps:
            self._conversations(app, max(rows // talk, 1))
        self.write(apps, newest=newest, satellites=satellites, talk=talk)

    def _copy(self, cursor: Any, model: type[Any], changes: dict[str, str]) -> None:
        """The sample's row of this model once for each message that is made."""
        sample = Message.objects.filter(pk=self._sample)
        if model is not Message:
            sample = model._default_manager.filter(message_id=self._sample)
            changes = changes | {"id": f"nextval(pg_get_serial_sequence('{model._meta.db_table}', 'id'))"}
        changes = changes | {"app_id": "made.app_id", "accept_time": "made.at"}
        columns = [field.column for field in model._meta.concrete_fields if not field.generated]
        statement = _LIKE.format(
            table=model._meta.db_table,
            columns=", ".join(columns),
            values=", ".join(changes.get(column, f"sample.{column}") for column in columns),
        )
        key = sample.get().pk
        cursor.execute(statement, [ids.to_uuid(key) if model is Message else key])
