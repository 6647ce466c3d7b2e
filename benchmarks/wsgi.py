"""The house's own application with the reference's addresses beside its own: both are served by the same processes."""

from django.conf import settings

from portal.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "benchmarks.reference"
