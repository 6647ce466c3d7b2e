"""What a Telegram update says: a message, a button that was pressed, or a person who blocked the bot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from gateway.channels.base import Event, Inbound, OptOut, Unsupported
from gateway.channels.telegram_calls import PLACED, PRESSED
from gateway.channels.transcoding import fallback_message

# How a file is named to clients. Its URL would hold the bot's token, so who has the token asks getFile for it.
FILE_SCHEME: Final = "telegram-file"
_FILES: Final = ("animation", "video", "audio", "voice", "video_note", "document")
_CALLBACK_DATA = re.compile(rf"([0-9A-HJKMNP-TV-Z]{{26}})([{PRESSED}{PLACED}])(.*)", re.DOTALL)


# Of a chat that is not private: groups and channels are no contact of the app. Nor is a message new that is edited.
_OF_OTHERS: Final = ("message", "edited_message", "channel_post", "edited_channel_post", "my_chat_member")


def events(body: bytes) -> list[Event]:
    """What is new in an update. Raises ValueError for what is none."""
    match orjson.loads(body):
        case {
            "message": {"chat": {"type": "private", "id": int(chat)}, "message_id": int(number)} as message
        }:
            return [_message(chat, number, message)]
        case {"callback_query": {"message": {"chat": {"type": str(kind)}}}} if kind != "private":
            return []
        case {"callback_query": {"id": str(id_), "from": {"id": int(person)} as sender, "data": str(data)}}:
            return [_press(id_, person, sender, data)]
        case {
            "my_chat_member": {
                "chat": {"type": "private", "id": int(chat)},
                "new_chat_member": {"status": "kicked"},
                **rest,
            }
        }:
            return [OptOut(str(chat), occurred_at=_moment(rest.get("date")))]
        case dict() as update if any(kind in update for kind in _OF_OTHERS):
            return []
        case dict():
            return [Unsupported(body.decode())]
    raise ValueError("A Telegram update is a JSON object.")


def _message(chat: int, number: int, message: Mapping[str, Any]) -> Inbound:
    return Inbound(
        f"{chat}:{number}",
        str(chat),
        _content(message),
        sent_at=_moment(message.get("date")),
        profile_name=_name(message.get("from") or message["chat"]),
    )


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    match message:
        case {"text": str(text)}:
            return {"text_message": {"text": text}}
        case {"photo": [*_, {"file_id": str(file_id)}]}:  # the last is the largest
            return _media(file_id, message.get("caption"))
        case {"venue": {"location": {"latitude": latitude, "longitude": longitude}, "title": title, **rest}}:
            place = {"title": title, "label": rest.get("address", "")}
            return {"location_message": place | _coordinates(latitude, longitude)}
        case {"location": {"latitude": latitude, "longitude": longitude}}:
            return {"location_message": {"title": "Location"} | _coordinates(latitude, longitude)}
    for kind in _FILES:
        file = message.get(kind)
        if isinstance(file, dict) and "file_id" in file:
            return _media(str(file["file_id"]), message.get("caption"), file.get("file_name"))
    return fallback_message(message, "Telegram messages of this kind cannot be shown.")


def _media(file_id: str, caption: str | None, name: str | None = None) -> dict[str, Any]:
    url = f"{FILE_SCHEME}:{file_id}"
    if caption:
        return {"media_card_message": {"url": url, "caption": caption}}
    return {"media_message": {"url": url} | ({"filename_override": name} if name else {})}


def _coordinates(latitude: float, longitude: float) -> dict[str, Any]:
    return {"coordinates": {"latitude": latitude, "longitude": longitude}}


def _press(id_: str, person: int, sender: Mapping[str, Any], data: str) -> Inbound:
    """A choice, if the button is ours. In a private chat the chat's id is the person's."""
    choice = None
    match found := _CALLBACK_DATA.fullmatch(data):
        case re.Match() if found[2] == PRESSED:
            response = {"message_id": found[1], "postback_data": found[3]}
            content: dict[str, Any] = {"choice_response_message": response}
        case re.Match() if found[3].isascii() and found[3].isdigit():
            choice = int(found[3])
            content = {"choice_response_message": {"message_id": found[1], "postback_data": ""}}
        case _:
            content = fallback_message({"data": data}, "The button belongs to no message of ours.")
    return Inbound(f"callback:{id_}", str(person), content, profile_name=_name(sender), choice=choice)


def _name(person: Any) -> str:
    if not isinstance(person, dict):
        return ""
    return " ".join(str(person[key]) for key in ("first_name", "last_name") if person.get(key))


def _moment(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC) if isinstance(seconds, int) else None
    except (OverflowError, OSError, ValueError):  # in no year that a datetime knows
        return None
