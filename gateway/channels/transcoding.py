"""An AppMessage as plainer things: blocks of text, media and choices; or nothing but text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import orjson

from gateway.channels.base import Channel, ReasonCode, Unsendable

Content = Mapping[str, Any]

_KINDS = {
    "image": {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".heic"},
    "video": {".mp4", ".m4v", ".mov", ".3gp", ".webm", ".mpeg"},
    "audio": {".mp3", ".m4a", ".aac", ".ogg", ".opus", ".wav", ".amr"},
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that the contact may choose. `detail` is where it leads, or what else is said of it."""

    kind: str  # the contract's: text_message, url_message …; "item" or "product" in a list
    title: str
    detail: str = ""
    postback_data: str = ""

    @property
    def line(self) -> str:
        """As a line of text."""
        return f"- {self.title}: {self.detail}" if self.detail else f"- {self.title}"


@dataclass(frozen=True, slots=True)
class Block:
    """What belongs together in a message: a card, a section, or all of it."""

    text: str = ""
    media: str = ""  # a URL
    choices: tuple[Choice, ...] = ()


@contextmanager
def reading() -> Iterator[None]:
    """Take what is no AppMessage for unsendable: what is meant for one channel alone nobody has checked before.

    Also a decorator, of functions that take content apart.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Unsendable(ReasonCode.BAD_REQUEST, "The message is malformed.") from error


@reading()
def given_to(channel: Channel, content: Content) -> Content:
    """The message as this channel gets it: its own where it has one, else everybody's."""
    own = (content.get("explicit_channel_omni_message") or {}).get(channel)
    if not own:
        return content
    if "template_reference" in own:
        return {"template_message": {"omni_template": own["template_reference"]}}
    return dict(own)


def explicit(channel: Channel, content: Content) -> dict[str, Any] | None:
    """The provider's own JSON where the message holds it for this channel. Raises Unsendable."""
    given = (content.get("explicit_channel_message") or {}).get(channel)
    if not given:
        return None
    try:
        payload = orjson.loads(given)
    except orjson.JSONDecodeError:
        payload = None
    if not isinstance(payload, dict):
        raise Unsendable(ReasonCode.BAD_REQUEST, f"explicit_channel_message.{channel} must be a JSON object.")
    return payload


@reading()
def blocks(content: Content) -> list[Block]:
    """The message's parts in their order; none for a template, whose words are the provider's."""
    match content:
        case {"text_message": {"text": text}}:
            return [Block(text)]
        case {"media_message": {"url": url}}:
            return [Block(media=url)]
        case {"card_message": card}:
            return [_card(card)]
        case {"carousel_message": carousel}:
            cards = [_card(card) for card in carousel["cards"]]
            outer = _choices(carousel)
            return [*cards, Block(choices=outer)] if outer else cards
        case {"choice_message": message}:
            return [Block((message.get("text_message") or {}).get("text", ""), choices=_choices(message))]
        case {"list_message": message}:
            first = Block(_lines(message.get("title"), message.get("description")), _media(message, "media"))
            return [first, *(_section(section) for section in message["sections"])]
        case {"location_message": location}:
            return [Block(_lines(location.get("title"), location.get("label"), map_url(location)))]
        case {"contact_info_message": contact}:
            return [Block(_lines(*_contact_lines(contact)))]
    return []


@reading()
def plain_text(content: Content) -> str:
    """The message as text alone: media as links, choices as lines; empty for a template."""
    return "\n\n".join(
        _lines(block.text, block.media, *(choice.line for choice in block.choices))
        for block in blocks(content)
    )


def choices(content: Content) -> list[Choice]:
    """Every choice of the message, in the order in which they stand in it."""
    return [choice for block in blocks(content) for choice in block.choices]


def fallback_message(raw: Any, description: str) -> dict[str, Any]:
    """A ContactMessage for what a contact sent and the contract has no form for."""
    reason = {
        "code": ReasonCode.UNSUPPORTED_OPERATION,
        "description": description,
        "sub_code": "UNSPECIFIED_SUB_CODE",
        "channel_code": "",
    }
    return {"fallback_message": {"raw_message": orjson.dumps(raw).decode(), "reason": reason}}


def kind_of_media(url: str) -> str:
    """ "image", "video", "audio" or "document", by the ending of the URL's path."""
    ending = PurePosixPath(urlsplit(url).path).suffix.lower()
    return next((kind for kind, endings in _KINDS.items() if ending in endings), "document")


def map_url(location: Content) -> str:
    """A link that shows a location_message on a map."""
    place = location["coordinates"]
    return f"https://maps.google.com/maps?q={place['latitude']},{place['longitude']}"


def _card(card: Content) -> Block:
    text = _lines(card.get("title"), card.get("description"))
    return Block(text, _media(card, "media_message"), _choices(card))


def _section(section: Content) -> Block:
    return Block(section.get("title") or "", choices=tuple(_item(item) for item in section["items"]))


def _item(item: Content) -> Choice:
    match item:
        case {"choice": choice}:
            title = choice["title"]
            return Choice("item", title, choice.get("description") or "", _postback(choice, title))
        case {"product": product}:
            price = f"{product.get('item_price', '')} {product.get('currency', '')}".strip()
            return Choice("product", f"{product.get('quantity') or 1} x {product['id']}", price)
    return Choice("item", "?")


def _choices(holder: Content) -> tuple[Choice, ...]:
    return tuple(_choice(choice) for choice in holder.get("choices") or ())


def _choice(choice: Content) -> Choice:
    match choice:
        case {"text_message": {"text": text}}:
            return Choice("text_message", text, postback_data=_postback(choice, text))
        case {"call_message": call}:
            return Choice("call_message", call["title"], call["phone_number"])
        case {"url_message": link}:
            return Choice("url_message", link["title"], link["url"])
        case {"location_message": location}:
            return Choice("location_message", location["title"], map_url(location))
        case {"calendar_message": event}:
            when = f"{event['event_title']}, {event['event_start']} - {event['event_end']}"
            return Choice("calendar_message", f"{event['title']} ({when})", event["fallback_url"])
        case {"share_location_message": request}:
            return Choice("share_location_message", request["title"], request["fallback_url"])
    return Choice("unknown", "?")


def _postback(choice: Content, title: str) -> str:
    """What comes back when it is chosen: what the client gave, else the words on it."""
    given = choice.get("postback_data")
    if given is None or given == "":
        return title
    return given if isinstance(given, str) else orjson.dumps(given).decode()


def _media(holder: Content, key: str) -> str:
    return str((holder.get(key) or {}).get("url") or "")


def _contact_lines(contact: Content) -> Iterator[str]:
    yield contact["name"]["full_name"]
    organization = contact.get("organization") or {}
    yield ", ".join(_given(organization, "title", "department", "company"))
    yield from (entry["phone_number"] for entry in contact["phone_numbers"])
    yield from (entry["email_address"] for entry in contact.get("email_addresses") or ())
    for address in contact.get("addresses") or ():
        yield ", ".join(_given(address, "zip", "city", "state", "country"))
    yield from (entry["url"] for entry in contact.get("urls") or ())
    yield contact.get("birthday") or ""


def _given(holder: Content, *names: str) -> Sequence[str]:
    return [holder[name] for name in names if holder.get(name)]


def _lines(*lines: str | None) -> str:
    return "\n".join(line for line in lines if line)
