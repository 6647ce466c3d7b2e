"""Model fields: public ids and secrets."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from projects import ids, sealing
from projects.sealing import Sealed


class ULIDField(models.Field):
    """A public id: 26 characters in Python and on the wire, a 16-byte uuid in the table."""

    description = "ULID"
    empty_strings_allowed = False

    def db_type(self, connection: Any) -> str:
        """PostgreSQL's own 16-byte type."""
        return "uuid"

    def rel_db_type(self, connection: Any) -> str:
        """The same, in what points here."""
        return "uuid"

    def from_db_value(self, value: uuid.UUID | None, expression: Any, connection: Any) -> str | None:
        """The 26 characters."""
        return None if value is None else ids.from_uuid(value)

    def to_python(self, value: Any) -> str | None:
        """The 26 characters, of an id in either form. Raises ValidationError."""
        if value is None or (isinstance(value, str) and ids.is_ulid(value)):
            return value
        if isinstance(value, uuid.UUID):
            return ids.from_uuid(value)
        raise ValidationError("“%(value)s” is not a valid id.", code="invalid", params={"value": value})

    def get_prep_value(self, value: Any) -> uuid.UUID | None:
        """The 16 bytes, of an id in either form. Raises ValidationError."""
        if value is None or isinstance(value, uuid.UUID):
            return value
        return ids.to_uuid(self.to_python(value) or "")


class PublicIdField(ULIDField):
    """The primary key of a row that the outside world knows by its ULID."""

    def __init__(self, *, primary_key: bool = True, **options: Any) -> None:
        implied: dict[str, Any] = {"default": ids.ulid, "editable": False}
        super().__init__(**(implied | options), primary_key=primary_key)

    def deconstruct(self) -> Any:
        """Without what every public id has."""
        name, path, args, options = super().deconstruct()
        for implied in ("primary_key", "default", "editable"):
            options.pop(implied, None)
        if not self.primary_key:
            options["primary_key"] = False  # in pghistory's copies of a table
        return name, path, args, options


class _Opened:
    """Opens a sealed secret when, and only when, somebody reads it."""

    def __init__(self, field: SecretField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])  # a deferred column
        value = instance.__dict__[self.field.attname]
        return self.field.opened(value, instance) if isinstance(value, Sealed) else value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SecretField(models.TextField):
    """Text that is sealed at rest. Read and write it on an instance; `.update()` cannot seal."""

    def __init__(self, *args: Any, **options: Any) -> None:
        implied: dict[str, Any] = {"blank": True, "default": "", "editable": False}
        super().__init__(*args, **(implied | options))

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Put the opener in the attribute's place."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Opened(self))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        """Sealed as it stands in the table: opening costs time, and few who load a row want its secret."""
        return None if value is None else Sealed(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed:
        """Seal what was set; leave alone what was only carried along, unless the keys have moved on."""
        value = model_instance.__dict__.get(self.attname, self.get_default())
        if isinstance(value, Sealed) and sealing.is_current(value):
            return value
        secret = self.opened(value, model_instance) if isinstance(value, Sealed) else value
        return sealing.seal(self.dumped(secret), place=self.place(model_instance))

    def get_prep_value(self, value: Any) -> Any:
        """Refuse what is not sealed: without its row it cannot be."""
        if value and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is a secret: set it on an instance and save that.")
        return value

    def place(self, instance: models.Model) -> str:
        """Where the secret stands: it opens nowhere else."""
        return f"{instance._meta.db_table}.{self.column}.{instance.pk}"

    def opened(self, value: Sealed, instance: models.Model) -> Any:
        """The secret itself."""
        return sealing.unseal(value, place=self.place(instance))

    def dumped(self, secret: Any) -> str:
        """The text that is sealed."""
        return str(secret)


class SecretJSONField(SecretField):
    """An object that is sealed at rest."""

    # What the type checker's Django plugin reads.
    _pyi_private_set_type: dict[str, Any]  # type: ignore[assignment]
    _pyi_private_get_type: dict[str, Any]  # type: ignore[assignment]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **({"default": dict} | options))

    def opened(self, value: Sealed, instance: models.Model) -> Any:
        """The object itself."""
        text = super().opened(value, instance)
        return json.loads(text) if text else {}

    def dumped(self, secret: Any) -> str:
        """Its JSON."""
        return json.dumps(secret) if secret else ""
