"""What clients may say about templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rest_framework.exceptions import ValidationError

from conversations.composing import contents
from conversations.composing.templates import UNNAMED, Wanted
from conversations.composing.templating import LATEST, Wording, same_language
from conversations.models import Template, TemplateTranslation
from gateway.channels.base import Channel
from projects.requests.inputs import Input, Inputs, Pairs, Text, Whole

MOST_TRANSLATIONS: Final = 100
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*", re.ASCII)  # one client puts it into paths as it is
_LANGUAGE: Final = re.compile(
    r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", re.ASCII
)  # BCP 47, or with underscores


class LanguageCode(Text):
    """A language as BCP 47 writes it, or with underscores."""

    default_error_messages = {"shape": "must be a language code such as en-US"}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if not _LANGUAGE.fullmatch(code):
            self.fail("shape")
        return code


class Variable(Input):
    """A blank that the template expects to be filled."""

    key = Text(max_length=255)
    preview_value = Text(required=False, max_length=1024)


class ChannelTemplate(Input):
    """A template that the channel itself keeps."""

    template_id = Text()
    version = Text(required=False)
    language_code = Text(required=False)
    parameters = Pairs(child=Text(allow_blank=True), required=False)


class Override(Input):
    """What a channel gets in the template's place; `parameter_mappings` leads from its blanks to ours."""

    template_reference = ChannelTemplate()
    parameter_mappings = Pairs(child=Text(), required=False)


class TranslationBody(Input):
    """The contract's template translation, as far as a client writes it."""

    language_code = LanguageCode.of(TemplateTranslation, "language_code")
    version = Text.of(TemplateTranslation, "version", default="")
    channel_template_overrides = Pairs(child=Override(), default=dict)
    variables = Inputs(child=Variable(), default=list)

    def to_internal_value(self, data: Any) -> Wording:
        """Its fields, and the one message type beside them."""
        fields = super().to_internal_value(data)
        message = {kind: data[kind] for kind in contents.KINDS if data.get(kind) is not None}
        return Wording(**fields, message=contents.checked_of_template(message))

    def validate_channel_template_overrides(self, overrides: Mapping[str, Any]) -> Mapping[str, Any]:
        """By channel."""
        for channel in overrides:
            if channel not in frozenset(Channel):
                raise ValidationError({channel: ["is not a channel"]})
        return overrides


class TemplateBody(Input):
    """The contract's Template, as far as a client writes it."""

    id = Text.of(Template, "public_id", default="")
    description = Text.of(Template, "description")
    default_translation = LanguageCode.of(Template, "default_translation")
    translations = Inputs(child=TranslationBody(), allow_empty=False, max_length=2 * MOST_TRANSLATIONS)

    def validate_id(self, public_id: str) -> str:
        """One that can stand in a path."""
        if public_id and not _ID.fullmatch(public_id):
            raise ValidationError("must be letters, digits and any of . _ ~ - after the first")
        return public_id

    def validate_translations(self, wordings: list[Wording]) -> list[Wording]:
        """Each version of each language once. Those that reading adds as "latest" do not count."""
        if sum(one.version != LATEST for one in wordings) > MOST_TRANSLATIONS:
            raise ValidationError(f"must have at most {MOST_TRANSLATIONS} entries")
        seen = set()
        for index, one in enumerate(wordings):
            place = one.language, "" if one.version in UNNAMED else one.version
            if place in seen:
                raise ValidationError({index: ["is listed twice"]})  # type: ignore[dict-item]  # as DRF's own lists
            seen.add(place)
        return wordings

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With `wanted`, what the writing flow takes. The default is one of the languages."""
        default = same_language(attrs["default_translation"])
        if default not in {one.language for one in attrs["translations"]}:
            raise ValidationError({"default_translation": ["must be the language of a translation"]})
        wanted = Wanted(
            description=attrs["description"],
            default_translation=attrs["default_translation"],
            wordings=attrs["translations"],
        )
        return attrs | {"wanted": wanted}


class TemplateChange(TemplateBody):
    """The same, with the version that the client has seen."""

    version = Whole(min_value=1)


class TranslationFilter(Input):
    """The translation list's query parameters."""

    language_code = Text(required=False)
    translation_version = Text(required=False)
