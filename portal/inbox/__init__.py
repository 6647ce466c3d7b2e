"""The compliance inbox: one list of what a person must do."""

from portal.inbox.items import Item, Source, Visitor
from portal.inbox.page import SOURCES, inbox_view, items

__all__ = ["SOURCES", "Item", "Source", "Visitor", "inbox_view", "items"]
