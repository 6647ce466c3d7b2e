"""What an AppMessage becomes on Telegram: the method of the Bot API to call, and its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.channels import transcoding
from gateway.channels.base import Channel, ReasonCode, Unsendable
from gateway.channels.transcoding import Block, Choice

Call = tuple[str, dict[str, Any]]

LONGEST_TEXT: Final = 4096  # characters
LONGEST_CAPTION: Final = 1024
LONGEST_CALLBACK_DATA: Final = 64  # bytes
# Not call_message: a button with a tel: link makes Telegram refuse the whole message. A number in a text can be
# tapped.
BUTTONS: Final = frozenset(
    {"text_message", "url_message", "location_message", "calendar_message", "share_location_message"}
)
_METHODS: Final = {
    "image": ("sendPhoto", "photo"),
    "video": ("sendVideo", "video"),
    "audio": ("sendAudio", "audio"),
}
_SENDS: Final = re.compile(r"send[A-Za-z]+")
# By URL Telegram fetches no other documents: sendDocument.
_DOCUMENTS: Final = (".pdf", ".zip")
PRESSED, PLACED = ":", "#"  # after our message id: the postback_data itself, or the place of the choice


@transcoding.reading()
def compose(content: Mapping[str, Any], *, message_id: str) -> Call:
    """The one call that sends this. Raises Unsendable."""
    if payload := transcoding.explicit(Channel.TELEGRAM, content):
        return _explicit(payload)
    content = transcoding.given_to(Channel.TELEGRAM, content)
    match content:
        case {"location_message": place}:
            return _place(place)
        case {"contact_info_message": contact}:
            return _contact(contact)
    blocks = transcoding.blocks(content)
    keyboard = _keyboard(transcoding.choices(content), message_id)
    return _with_medium(blocks, keyboard) or _as_text(blocks, keyboard)


def callback_data(message_id: str, postback_data: str, place: int) -> str:
    """What a button brings back: which message, and what was chosen, or its place where that is too long."""
    data = f"{message_id}{PRESSED}{postback_data}"
    return data if len(data.encode()) <= LONGEST_CALLBACK_DATA else f"{message_id}{PLACED}{place}"


def _explicit(payload: dict[str, Any]) -> Call:
    """The client's own call: of a method that sends, for others would change the bot."""
    method = str(payload.pop("method", "sendMessage"))
    if not _SENDS.fullmatch(method):
        raise Unsendable(ReasonCode.BAD_REQUEST, f"{method} is no method that sends a message.")
    return method, payload


def _with_medium(blocks: Sequence[Block], keyboard: dict[str, Any]) -> Call | None:
    """The first block's medium with everything else as its caption, where Telegram shows it and it fits."""
    media = [block.media for block in blocks if block.media]
    method, parameter = _method(media[0]) if len(media) == 1 else ("", "")
    caption = _text(blocks, with_media=False)
    if not method or len(caption) > LONGEST_CAPTION:
        return None
    return method, {parameter: media[0]} | ({"caption": caption} if caption else {}) | keyboard


def _as_text(blocks: Sequence[Block], keyboard: dict[str, Any]) -> Call:
    text = _text(blocks, with_media=True) or ("…" if keyboard else "")  # buttons hang on a text
    if not text:
        raise Unsendable(ReasonCode.UNSUPPORTED_OPERATION, "This content has no form on Telegram.")
    if len(text) > LONGEST_TEXT:
        raise Unsendable(
            ReasonCode.UNSUPPORTED_OPERATION, f"A Telegram message has at most {LONGEST_TEXT} characters."
        )
    return "sendMessage", {"text": text} | keyboard


def _method(url: str) -> tuple[str, str]:
    kind = transcoding.kind_of_media(url)
    if kind == "document":
        is_fetched = urlsplit(url).path.lower().endswith(_DOCUMENTS)
        return ("sendDocument", "document") if is_fetched else ("", "")
    return _METHODS[kind]


def _text(blocks: Sequence[Block], *, with_media: bool) -> str:
    """Everything that is not a button, and what a button has no room for."""
    paragraphs = (
        "\n".join(filter(None, (block.text, block.media if with_media else "", *_lines(block.choices))))
        for block in blocks
    )
    return "\n\n".join(filter(None, paragraphs))


def _lines(choices: Sequence[Choice]) -> Iterator[str]:
    for choice in choices:
        if not _is_button(choice) or (choice.kind == "item" and choice.detail):
            yield choice.line


def _is_button(choice: Choice) -> bool:
    match choice.kind:
        case "text_message" | "item":
            return True
        case "url_message" | "location_message" | "calendar_message" | "share_location_message":
            return _can_be_opened(choice.detail)
    return False


def _can_be_opened(url: str) -> bool:
    """Whether Telegram takes the URL on a button: a bad one makes it refuse the whole message."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in (parts.hostname or "").strip(".")


def _keyboard(choices: Sequence[Choice], message_id: str) -> dict[str, Any]:
    """The buttons under a message, one in a row; none where there is no choice."""
    if choices and all(choice.kind == "share_location_message" for choice in choices):
        # The only kind of keyboard that can ask for a place; it cannot stand beside the other kind.
        rows = [[{"text": choice.title, "request_location": True}] for choice in choices]
        return {"reply_markup": {"keyboard": rows, "one_time_keyboard": True, "resize_keyboard": True}}
    buttons = [
        [_button(choice, message_id, place)] for place, choice in enumerate(choices) if _is_button(choice)
    ]
    return {"reply_markup": {"inline_keyboard": buttons}} if buttons else {}


def _button(choice: Choice, message_id: str, place: int) -> dict[str, str]:
    if choice.kind in {"text_message", "item"}:
        data = callback_data(message_id, choice.postback_data, place)
        return {"text": choice.title, "callback_data": data}
    return {"text": choice.title, "url": choice.detail}


def _place(location: Mapping[str, Any]) -> Call:
    """A pin; with its title where there is a label too, since a venue needs both."""
    pin = {name: location["coordinates"][name] for name in ("latitude", "longitude")}
    if label := location.get("label"):
        return "sendVenue", pin | {"title": location["title"], "address": label}
    return "sendLocation", pin


def _contact(contact: Mapping[str, Any]) -> Call:
    """A card with the name and the first number; the rest as a vCard."""
    name = contact["name"]
    payload = {
        "phone_number": contact["phone_numbers"][0]["phone_number"],
        "first_name": name.get("first_name") or name["full_name"],
        "vcard": _vcard(contact),
    }
    if name.get("first_name") and name.get("last_name"):
        payload["last_name"] = name["last_name"]
    if len(payload["vcard"].encode()) > 2048:  # what sendContact takes
        del payload["vcard"]
    return "sendContact", payload


def _vcard(contact: Mapping[str, Any]) -> str:
    """RFC 6350, in version 3.0, which every phone reads."""
    organization = contact.get("organization") or {}
    fields = [
        ("FN", contact["name"]["full_name"]),
        *(("TEL", entry["phone_number"]) for entry in contact["phone_numbers"]),
        *(("EMAIL", entry["email_address"]) for entry in contact.get("email_addresses") or ()),
        ("ORG", organization.get("company")),
        ("TITLE", organization.get("title")),
        *(("URL", entry["url"]) for entry in contact.get("urls") or ()),
        ("BDAY", contact.get("birthday")),
    ]
    lines = [f"{name}:{_escaped(value)}" for name, value in fields if value]
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD"])


def _escaped(value: str) -> str:
    for character in "\\;,":
        value = value.replace(character, "\\" + character)
    return value.replace("\r\n", "\\n").replace("\n", "\\n")
