"""What an app must know to use a channel: the credential object of each, checked, masked and restored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.channels.base import Channel

MASK = "****"
SHOWN = 4  # the last characters of a secret that a mask shows …
LONG_ENOUGH = 12  # … where the secret has so many that the others still keep it
IS_A_MASK = "is only the mask of a secret: give the secret itself"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a credential object; a dot in `path` leads into a nested object."""

    path: str
    is_secret: bool = True
    is_required: bool = True  # inside a nested object: where that object is given
    is_flag: bool = False  # true or false, not text


@dataclass(frozen=True, slots=True)
class CredentialSchema:
    """The fields of one kind of credential object. Of the nested objects `one_of`, exactly one is given."""

    fields: tuple[Field, ...]
    one_of: tuple[str, ...] = ()


def _shown(path: str, *, is_required: bool = True) -> Field:
    return Field(path, is_secret=False, is_required=is_required)


_IS_DEFAULT = Field("is_default", is_secret=False, is_required=False, is_flag=True)

# Wire contract, "Channel credential".
CREDENTIALS: dict[str, CredentialSchema] = {
    "static_bearer": CredentialSchema((_shown("claimed_identity"), Field("token"))),
    "static_token": CredentialSchema((Field("token"),)),
    "mms_credentials": CredentialSchema(
        (
            _shown("account_id"),
            Field("api_key"),
            _shown("basic_auth.username"),
            Field("basic_auth.password"),
        )
    ),
    "instagram_credentials": CredentialSchema(
        (Field("token"), _shown("business_account_id", is_required=False))
    ),
    "telegram_credentials": CredentialSchema((Field("token"),)),
    "kakaotalk_credentials": CredentialSchema(
        (_shown("kakaotalk_plus_friend_id"), Field("kakaotalk_sender_key"))
    ),
    "kakaotalkchat_credentials": CredentialSchema(
        (_shown("kakaotalk_plus_friend_id"), Field("api_key", is_required=False))
    ),
    "line_credentials": CredentialSchema((Field("token"), Field("secret"), _IS_DEFAULT)),
    "line_enterprise_credentials": CredentialSchema(
        (
            Field("line_japan.token"),
            Field("line_japan.secret"),
            Field("line_thailand.token"),
            Field("line_thailand.secret"),
            _IS_DEFAULT,
        ),
        one_of=("line_japan", "line_thailand"),
    ),
    "wechat_credentials": CredentialSchema(
        (_shown("app_id"), Field("app_secret"), Field("token"), Field("aes_key"))
    ),
    "applebc_credentials": CredentialSchema(
        (
            _shown("business_chat_account_id"),
            _shown("merchant_id", is_required=False),
            _shown("apple_pay_certificate_reference", is_required=False),
            Field("apple_pay_certificate_password", is_required=False),
        )
    ),
}

ALLOWED_KEYS: dict[Channel, tuple[str, ...]] = {
    Channel.WHATSAPP: ("static_bearer",),
    Channel.RCS: ("static_bearer",),
    Channel.SMS: ("static_bearer",),
    Channel.VIBERBM: ("static_bearer",),
    Channel.MESSENGER: ("static_token",),
    Channel.VIBER: ("static_token",),
    Channel.MMS: ("mms_credentials",),
    Channel.INSTAGRAM: ("instagram_credentials",),
    Channel.TELEGRAM: ("telegram_credentials",),
    Channel.KAKAOTALK: ("kakaotalk_credentials",),
    Channel.KAKAOTALKCHAT: ("kakaotalkchat_credentials",),
    Channel.LINE: ("line_credentials", "line_enterprise_credentials"),
    Channel.WECHAT: ("wechat_credentials",),
    Channel.APPLEBC: ("applebc_credentials",),
    Channel.SANDBOX: ("static_bearer",),
}


def check(channel: Channel, key: str, values: Any) -> list[tuple[str, str]]:
    """What is wrong with a credential object, as pairs of a field's path and a problem.

    Nothing when it may be kept. The sandbox takes any values. Fields that nobody knows are let through.
    """
    if key not in ALLOWED_KEYS[channel]:
        return [(key, f"is no credential of {channel}: it takes {' or '.join(ALLOWED_KEYS[channel])}")]
    if not isinstance(values, Mapping):
        return [(key, "must be an object")]
    if channel == Channel.SANDBOX:
        return []
    schema = CREDENTIALS[key]
    problems = [
        (f"{key}.{field.path}", problem) for field in schema.fields if (problem := _problem(field, values))
    ]
    given = [name for name in schema.one_of if values.get(name) is not None]
    if schema.one_of and len(given) != 1:
        problems.append((key, f"takes exactly one of {' and '.join(schema.one_of)}"))
    return problems


def masked(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The values as they may be shown: every secret as its mask, unknown texts too."""
    shown = {field.path for field in CREDENTIALS[key].fields if not field.is_secret}
    return {name: _masked(value, name, shown) for name, value in values.items()}


def unmasked(new: Mapping[str, Any], stored: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The new values, with the stored secret wherever its mask came back unchanged."""
    return _restored(new, stored, masked(stored, key))


def mask(secret: str) -> str:
    """A stand-in for a secret that is never empty when the secret is set."""
    if not secret:
        return ""
    return MASK + secret[-SHOWN:] if len(secret) >= LONG_ENOUGH else MASK


def is_mask(text: str) -> bool:
    """Whether it looks as secrets do where they are shown: nobody's secret does."""
    return text.startswith(MASK) and len(text) in (len(MASK), len(MASK) + SHOWN)


def _problem(field: Field, values: Mapping[str, Any]) -> str:
    *groups, name = field.path.split(".")
    for group in groups:
        if values.get(group) is None:
            return ""
        if not isinstance(values[group], Mapping):
            return f"needs {group} to be an object"
        values = values[group]
    value = values.get(name)
    if field.is_flag:
        return "" if value is None or isinstance(value, bool) else "must be true or false"
    if value is None or value == "":
        return "is required" if field.is_required else ""
    if not isinstance(value, str):
        return "must be text"
    if field.is_secret and is_mask(value):
        return IS_A_MASK
    # It goes into header lines and URLs.
    return "" if value.isprintable() and value.strip() else "must be visible text on one line"


def _masked(value: Any, path: str, shown: set[str]) -> Any:
    match value:
        case str() if path not in shown:
            return mask(value)
        case Mapping():
            return {name: _masked(item, f"{path}.{name}", shown) for name, item in value.items()}
        case list():
            return [_masked(item, path, shown) for item in value]
        case _:
            return value


def _restored(new: Mapping[str, Any], stored: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    def restored_items() -> Iterator[tuple[str, Any]]:
        for name, value in new.items():
            known = name in stored
            if known and isinstance(value, Mapping) and isinstance(stored[name], Mapping):
                yield name, _restored(value, stored[name], shown[name])
            else:
                yield name, stored[name] if known and value == shown[name] else value

    return dict(restored_items())
