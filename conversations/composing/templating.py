"""Filling in templates: what a channel gets of a message that refers to one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.channels.base import Channel, Reason, ReasonCode

LATEST: Final = "latest"  # the version name for whichever is listed last of its language
_OWN: Final = "explicit_channel_omni_message"
_LITERAL: Final = ("explicit_channel_message", "channel_specific_message")  # in the channel's own language
_BLANK: Final = re.compile(r"\$\{([^${}]+)\}")


class Unfilled(Exception):
    """This channel cannot get the message, for the reason given. Another may: it has other templates."""

    def __init__(self, code: ReasonCode, description: str) -> None:
        super().__init__(description)
        self.reason = Reason(code, description)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a template says in one language, in one version."""

    language_code: str
    version: str
    message: Mapping[str, Any]  # one of the contract's AppMessage types
    channel_template_overrides: Mapping[str, Any] = field(default_factory=dict)
    variables: Sequence[Mapping[str, str]] = field(default_factory=list)

    @property
    def language(self) -> str:
        """As it is compared: clients write `en-US` and `en_US`."""
        return same_language(self.language_code)

    def says_the_same_as(self, other: Wording) -> bool:
        """Whether only the version may differ."""
        return (self.language, self.message, self.channel_template_overrides, self.variables) == (
            other.language, other.message, other.channel_template_overrides, other.variables
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A template with all its wordings, as filling it in needs it."""

    default_translation: str
    current: Sequence[Wording]
    kept: Sequence[Wording] = ()  # old versions

    def wording(self, language_code: str, version: str) -> Wording:
        """In this language, else in the default one. Raises Unfilled."""
        wanted = same_language(language_code or self.default_translation)
        spoken = self.current if version == LATEST else [*self.current, *self.kept]
        matching = [one for one in spoken if one.language == wanted and version in (LATEST, one.version)]
        if not matching:
            raise Unfilled(
                ReasonCode.TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION,
                f"The template has no version {version!r} in {language_code or self.default_translation!r}.",
            )
        return matching[-1]


def same_language(code: str) -> str:
    """A language code as it is compared."""
    return code.replace("_", "-").lower()


def reference(content: Mapping[str, Any], channel: str) -> Mapping[str, Any]:
    """The reference to a template of ours by which this channel gets its words; empty where there is none."""
    own = content.get(_OWN) or {}
    if channel in own:
        return own[channel].get("template_reference") or {}
    return (content.get("template_message") or {}).get("omni_template") or {}


def filled(content: Mapping[str, Any], channel: Channel, template: Known | None) -> Mapping[str, Any]:
    """The message as this channel's adapter gets it; `template` is what it refers to here, where that exists.

    Content for this channel alone goes before any template, the channel's own template before ours.
    Raises Unfilled.
    """
    if any(channel in (content.get(key) or {}) for key in _LITERAL):
        return content
    if channel in (content.get(_OWN) or {}):
        said = _said(reference(content, channel), channel, template)
        return {**content, _OWN: {channel: said}} if said else content
    sent = content.get("template_message")
    if not sent:
        return content
    beside = {key: value for key, value in content.items() if key != "template_message"}
    own = (sent.get("channel_template") or {}).get(channel)
    if own:
        return beside | {"template_message": {"channel_template": {channel: own}}}
    said = _said(reference(content, channel), channel, template)
    if not said:
        raise Unfilled(ReasonCode.TEMPLATE_NOT_FOUND, f"The message has no template for {channel}.")
    return {**beside, **said}


def _said(omni: Mapping[str, Any], channel: Channel, template: Known | None) -> Mapping[str, Any]:
    """What our template says on this channel: perhaps a template of the channel itself; empty without a reference."""
    if not omni:
        return {}
    if template is None:
        raise Unfilled(
            ReasonCode.TEMPLATE_NOT_FOUND, f"There is no template with the id {omni['template_id']!r}."
        )
    wording = template.wording(omni.get("language_code") or "", omni["version"])
    parameters = omni.get("parameters") or {}
    override = wording.channel_template_overrides.get(channel)
    if not override:
        words = {kind: _fill(body, parameters) for kind, body in wording.message.items()}
        return filled(words, channel, None)
    mappings = override.get("parameter_mappings") or {}
    mapped = {theirs: _value(ours, parameters) for theirs, ours in mappings.items()}
    theirs = override["template_reference"]
    whole = theirs | {"parameters": (theirs.get("parameters") or {}) | mapped}
    return {"template_message": {"channel_template": {channel: whole}}}


def _fill(value: Any, parameters: Mapping[str, str]) -> Any:
    """Every text in it with its blanks filled in, once: a parameter is not looked through for more."""
    match value:
        case str():
            return _BLANK.sub(lambda blank: _value(blank[1], parameters), value)
        case dict():
            return {key: _fill(inner, parameters) for key, inner in value.items()}
        case list():
            return [_fill(inner, parameters) for inner in value]
    return value


def _value(name: str, parameters: Mapping[str, str]) -> str:
    if name not in parameters:
        raise Unfilled(
            ReasonCode.TEMPLATE_INSUFFICIENT_PARAMETERS, f"The template needs the parameter {name!r}."
        )
    return parameters[name]
