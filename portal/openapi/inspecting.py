"""How one operation is read off its view: drf-spectacular's way, with the words of this house."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.drainage import warn
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from conversations.api.bodies import Addressee, Duration, LastMessages
from conversations.api.event_bodies import AppEvent
from conversations.api.template_bodies import TranslationBody
from conversations.composing.contents import CONTACT_MESSAGE, KINDS
from portal.api.serializers import CredentialBody, JustificationBody
from portal.openapi import credentials, examples, operations, parameters, refusing
from portal.openapi.answers.words import ENUMERATIONS
from portal.openapi.operations import Operation
from portal.openapi.shapes import Shape, one_kind, ref
from projects.api import TokenView
from projects.requests.inputs import Inputs, Listing, OneOf, Text
from retention.models import Justification
from webhooks.api.serializers import Changes, Creation, Target

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
# Fields that a room checks itself, by what stands in them.
_CONTENTS: Final = {
    "message": ref("AppMessage"),
    "app_message": ref("AppMessage"),
    "contact_message": ref(CONTACT_MESSAGE.name),
}
_NAMES: Final = {Creation: "NewWebhook", Changes: "WebhookBody"}
_KNOWN: Final = {frozenset(shape["enum"]): name for name, shape in ENUMERATIONS.items()}
_TOKEN_FORM: Final[Shape] = {
    "type": "object",
    "properties": {"grant_type": {"type": "string", "const": "client_credentials"}},
    "required": ["grant_type"],
}


class OperationSchema(AutoSchema):
    """Reads an operation's line, the docstring of its method and the serializers of its body and query."""

    tag: str
    line: Operation

    def is_excluded(self) -> bool:
        known = operations.told(type(self.view), self.method.lower())
        if known is None:
            warn(f"portal/openapi/operations.py has no line for {self.method} of {type(self.view).__name__}")
            return True
        self.tag, self.line = known
        return False

    def get_operation_id(self) -> str:
        return self.line.id

    def get_tags(self) -> list[str]:
        return [self.tag]

    def get_summary(self) -> str:
        return self.line.summary

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{"basic": []}] if self.is_token else [{"oauth2": []}, {"basic": []}]

    @property
    def is_token(self) -> bool:
        """Whether this is the endpoint that speaks OAuth and not the API's own way."""
        return isinstance(self.view, TokenView)

    def _get_parameters(self) -> list[dict[str, Any]]:
        names = [part.split("}")[0] for part in self.path.split("{")[1:]]
        found = [parameters.in_path(name) for name in names]
        if self.line.query:
            found += self._query(self.line.query())
        if self.line.largest_page:
            found += parameters.paging(first=self.line.first_page, largest=self.line.largest_page)
        if self.line.is_masked:
            found.append(parameters.UPDATE_MASK)
        return found + [parameters.OTHERS[name] for name in self.line.parameters]

    def _query(self, asked: serializers.Serializer) -> list[dict[str, Any]]:
        shape = self._map_serializer(asked, "request")
        required = shape.get("required", [])
        return [
            {"name": name, "in": "query", "schema": inner} | ({"required": True} if name in required else {})
            for name, inner in shape["properties"].items()
        ]

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        if self.is_token:
            return {"required": True, "content": {FORM: {"schema": _TOKEN_FORM}}}
        if not self.line.body:
            return None
        parts = [
            self.resolve_serializer(body(partial=self.line.is_masked), "request").ref
            for body in self.line.body
        ]
        content = {
            "schema": parts[0] if len(parts) == 1 else {"allOf": parts},
            "examples": examples.of(self.line),
        }
        return {"required": True, "content": {JSON: content}}

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        answers = {"200": {"description": "Done.", "content": {JSON: {"schema": ref(self.line.answer)}}}}
        if self.is_token:
            return answers | refusing.of_token()
        return answers | refusing.references(refusing.codes(self.line, self.path))

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        known = type(serializer)
        return _NAMES.get(known, known.__name__)

    def _map_serializer(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> Shape:
        shape: Shape = super()._map_serializer(serializer, direction, bypass_extensions)
        match serializer:
            case CredentialBody():
                return credentials.body(shape)
            case TranslationBody():
                return one_kind(shape, **{kind: dict(rule.reference) for kind, rule in KINDS.items()})
            case JustificationBody():
                text = Justification._meta.get_field("text")
                self._insert_field_validators(text, shape["properties"]["text"])
            case LastMessages():
                people = [{"required": [name]} for name in ("channel_identities", "contact_ids")]
                return {
                    **shape,
                    "properties": {**shape["properties"], **parameters.PAGING_IN_BODY},
                    "oneOf": people,
                }
            case Addressee() | AppEvent():
                return {**shape, "oneOf": [{"required": [name]} for name in shape["properties"]]}
        return shape

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Shape:
        match field:
            case serializers.JSONField():
                return dict(_CONTENTS.get(str(field.field_name), {}))
            case OneOf():
                return self._choice(field, direction)
            case Duration():
                return {
                    "type": "string",
                    "pattern": r"^[0-9]+(\.[0-9]{1,9})?s$",
                    "description": f"From {field.lowest:g} to {field.highest:.0f} seconds.",
                    "examples": ["30s"],
                }
        shape: Shape = super()._map_serializer_field(field, direction, bypass_extensions)
        return shape | _limits(field)

    def _choice(self, field: OneOf, direction: str) -> Shape:
        name = _KNOWN.get(frozenset(field.known))
        shape = ref(name) if name else {"type": "string", "enum": list(field.known)}
        default = self._get_serializer_field_meta(field, direction).get("default")
        return shape if default is None else shape | {"default": str(default)}


def _limits(field: Any) -> Shape:
    """What a field refuses beside its type."""
    match field:
        case Target():
            return {"format": "uri", "description": "http or https, to an address that this server may call."}
        case Text() if not field.allow_blank:
            return {"minLength": 1, "pattern": r"\S"}
        case Listing() | Inputs():
            most = field.max_length  # type: ignore[union-attr]  # the stubs forget a list serializer's
            return {"maxItems": most} | ({} if field.allow_empty else {"minItems": 1})
    return {}
