"""The pages of contacts, who are shown with what was said to them, and of messages."""

from conversations.admin import contacts, messages

__all__ = ["contacts", "messages"]
