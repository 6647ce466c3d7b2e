"""The pages that show several rooms."""

from portal.admin import app_page, contact_page, conversation_page

__all__ = ["app_page", "contact_page", "conversation_page"]
