"""What a client may say about a webhook: typed wishes out of the API's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from projects.requests.inputs import Flag, Input, Listing, OneOf, Text
from webhooks.models import (
    LONGEST_CLIENT_ID,
    LONGEST_RESPONSE_TYPE,
    LONGEST_SCOPE,
    TargetType,
    TokenRequestType,
    may_be_called,
)
from webhooks.subscribing import Wishes
from webhooks.triggers import Trigger

# What a field becomes when a client resets it.
EMPTY: Final[Mapping[str, Any]] = {
    "target": "",
    "target_type": TargetType.HTTP,
    "secret": "",
    "triggers": [],
    "client_credentials": None,
    "is_4xx_final": False,
}
NO_CLIENT_CREDENTIALS: Final[Wishes] = {
    "client_id": "",
    "client_secret": "",
    "token_endpoint": "",
    "token_scope": "",
    "token_response_type": "",
    "token_request_type": TokenRequestType.BASIC,
}


class Target(Text):
    """A URL that this server may call."""

    default_validators = [may_be_called]


class ClientCredentials(Input):
    """The receiver's own OAuth2 client: given whole, nothing that it leaves out is kept from before."""

    client_id = Text(max_length=LONGEST_CLIENT_ID)
    client_secret = Text()
    endpoint = Target(source="token_endpoint")
    scope = Text(required=False, default="", max_length=LONGEST_SCOPE, source="token_scope")
    response_type = Text(
        required=False, default="", max_length=LONGEST_RESPONSE_TYPE, source="token_response_type"
    )
    token_request_type = OneOf(TokenRequestType, default=TokenRequestType.BASIC)


class Changes(Input):
    """The fields that may be written, none of them required."""

    target = Target(required=False, allow_blank=False)
    target_type = OneOf(TargetType, required=False)
    secret = Text(required=False)
    triggers = Listing(child=OneOf(Trigger), required=False)
    client_credentials = ClientCredentials(required=False)
    is_4xx_final = Flag(required=False)


class Creation(Input):
    """What a new webhook cannot do without."""

    app_id = Text()
    target = Target()


def wishes(body: Any) -> Wishes:
    """The fields that the body names. Raises ValidationError at the path of what is wrong."""
    named: dict[str, Any] = Changes.read(body)
    if "triggers" in named:
        named["triggers"] = list(dict.fromkeys(named["triggers"]))  # a set, in the order given
    if "client_credentials" in body:
        named |= named.pop("client_credentials", None) or NO_CLIENT_CREDENTIALS
    return cast("Wishes", named)
