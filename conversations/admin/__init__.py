"""The pages of contacts, who are shown with what was said to them, of messages and of templates."""

from conversations.admin import contacts, messages, templates

__all__ = ["contacts", "messages", "templates"]
