"""Channel credentials, drawn from the table by which they are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.channels.base import Channel
from gateway.channels.credentials import ALLOWED_KEYS, CREDENTIALS, CredentialSchema, Field
from portal.openapi.shapes import FLAG, MASKED, TEXT, URL, WHOLE, Shape, member, record, ref
from projects.models import CredentialStatus

_VISIBLE: Final = r"\S"  # something to see, on one line


def components() -> dict[str, Shape]:
    """One of each kind of credential object: what a client sends, and the same with its secrets masked."""
    return {_name(key): _credential(schema) for key, schema in CREDENTIALS.items()}


def body(known: Shape) -> Shape:
    """What a client sends: `known` of any channel, and the object of the channel's kind."""
    return {**known, "oneOf": _alternatives(), "properties": _common(known["properties"])}


def answer() -> Shape:
    """The same as it is answered."""
    return {
        **record(
            "A channel that the app speaks on. Their order is the app's channel priority.",
            channel=ref("Channel"),
            callback_secret=MASKED,
            credential_ordinal_number=WHOLE,
            state=record(
                "Whether it works, as far as is known.",
                status=member(CredentialStatus.values),
                description=TEXT,
            ),
            channel_known_id=TEXT,
            callback_url={**URL, "description": "An extension: what to enter at the provider."},
        ),
        "oneOf": _alternatives(),
    }


def _common(properties: Mapping[str, Shape]) -> dict[str, Shape]:
    return {name: shape for name, shape in properties.items() if name not in CREDENTIALS}


def _alternatives() -> list[Shape]:
    """For each kind of object the channels that take it; the sandbox takes any values."""
    takers: dict[str, list[Channel]] = {key: [] for key in CREDENTIALS}
    for channel, keys in ALLOWED_KEYS.items():
        for key in keys:
            if channel != Channel.SANDBOX:
                takers[key].append(channel)
    sandbox = [
        _alternative([Channel.SANDBOX], key, {"type": "object"}) for key in ALLOWED_KEYS[Channel.SANDBOX]
    ]
    return [_alternative(channels, key, ref(_name(key))) for key, channels in takers.items()] + sandbox


def _alternative(channels: list[Channel], key: str, values: Shape) -> Shape:
    return {
        "title": " and ".join(channels),
        "type": "object",
        "properties": {"channel": member(channels), key: values},
        "required": ["channel", key],
    }


def _credential(schema: CredentialSchema) -> Shape:
    shape: Shape = {"type": "object", "properties": {}}
    for field in schema.fields:
        _place(shape, field)
    if schema.one_of:
        shape["oneOf"] = [{"required": [name]} for name in schema.one_of]
    return shape


def _place(shape: Shape, field: Field) -> None:
    """Write the field where its path leads."""
    *groups, name = field.path.split(".")
    for group in groups:
        shape = shape["properties"].setdefault(group, {"type": "object", "properties": {}})
    shape["properties"][name] = _value(field)
    if field.is_required:
        shape.setdefault("required", []).append(name)


def _value(field: Field) -> Shape:
    if field.is_flag:
        return FLAG
    seen = (
        {"examples": ["****9f2a"]}
        if field.is_secret
        else {"examples": ["ours"], "description": "Answered in clear."}
    )
    return {**TEXT, **({"minLength": 1, "pattern": _VISIBLE} if field.is_required else {}), **seen}


def _name(key: str) -> str:
    """`static_bearer` is StaticBearer."""
    return "".join(word.capitalize() for word in key.split("_"))
