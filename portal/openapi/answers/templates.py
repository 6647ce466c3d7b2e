"""Templates and what they say."""

from __future__ import annotations

from typing import Final

from conversations.composing.contents import KINDS
from portal.openapi.shapes import (
    ANY_OBJECT,
    TEXT,
    TIME,
    many,
    one_kind,
    record,
    ref,
)

TEMPLATES: Final = {
    "TemplateTranslation": one_kind(
        record(
            "What a template says in one language.",
            language_code={**TEXT, "examples": ["en-US"]},
            version={**TEXT, "examples": ["1"]},
            channel_template_overrides=ANY_OBJECT,
            variables=many(record("", {"preview_value": TEXT}, key={**TEXT, "examples": ["name"]})),
            create_time=TIME,
            update_time=TIME,
        ),
        **{kind: dict(rule.reference) for kind, rule in KINDS.items()},
    ),
    "Template": record(
        "One message in several languages.",
        id={**TEXT, "examples": ["welcome"]},
        description=TEXT,
        version={"type": "integer", "minimum": 1, "description": "Counts its changes."},
        default_translation={**TEXT, "examples": ["en-US"]},
        translations=many(ref("TemplateTranslation")),
        create_time=TIME,
        update_time=TIME,
    ),
    "Templates": record("All templates of the project.", templates=many(ref("Template"))),
    "Translations": record("Versions of a template.", translations=many(ref("TemplateTranslation"))),
}
