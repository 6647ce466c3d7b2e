"""The ground floor's pages in the portal, and what every room's pages are made of."""

from projects.admin import credentials, keys, ordering, people

__all__ = ["credentials", "keys", "ordering", "people"]
