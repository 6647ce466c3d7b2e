"""The Django settings of the project with django-webhook."""

import os

DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}}
INSTALLED_APPS = ["django.contrib.sessions", "django_webhook"]
DJANGO_WEBHOOK = {"MODELS": ["sessions.Session"]}  # any model does: this one has room for a letter
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "opens nothing"  # noqa: S105 -- as it says
USE_TZ = True
