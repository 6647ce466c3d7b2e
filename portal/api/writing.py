"""A client writes an app: the row itself, then what the rooms keep for it; all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from gateway.channels.credentials import IS_A_MASK, is_mask, mask
from portal.api.serializers import RetentionPolicyBody
from projects import credentials
from projects.models import App
from retention.deciding import changing
from retention.models import Via

_POLICIES: Final = ("retention_policy", "dispatch_retention_policy")
_OVERRIDE_SECRET: Final = "callback_settings.secret_for_overridden_callback_urls"  # noqa: S105 - its place on the wire


@transaction.atomic
def write(app: App, body: Mapping[str, Any], *, key_id: str, now: datetime) -> None:
    """Give the app what an AppBody names. Raises ValidationError by the body's paths."""
    fields = {name: value for name, value in body.items() if name not in ("channel_credentials", *_POLICIES)}
    if fields.get("callback_secret") == mask(app.callback_secret):
        del fields["callback_secret"]  # it came back as it was shown
    if is_mask(fields.get("callback_secret", "")):
        raise ValidationError({_OVERRIDE_SECRET: IS_A_MASK})
    for name, value in fields.items():
        setattr(app, name, value)
    app.validate_constraints(exclude={"project"})
    app.save()
    if "channel_credentials" in body:
        credentials.replace(app, body["channel_credentials"])
    for name in _POLICIES:
        if name in body:
            _change_policy(app, name, body[name], key_id=key_id, now=now)


def _change_policy(app: App, name: str, policy: Mapping[str, Any], *, key_id: str, now: datetime) -> None:
    try:
        changing.change(app=app, via=Via.API, author_key=key_id, now=now, **policy)
    except ValidationError as error:
        said = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error}
        raise ValidationError({_place(name, field): problems for field, problems in said.items()}) from None


def _place(policy: str, field: str) -> str:
    """Where on the wire a field stands of which the retention policy or its justification complains."""
    if field == NON_FIELD_ERRORS:
        return policy
    return f"{policy}.{field}" if field in RetentionPolicyBody().fields else f"{policy}.justification.{field}"
