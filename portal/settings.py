"""Every setting of the house: read from the environment (and `.env`) here and nowhere else."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from gateway.channels.base import Channel
from portal import embedded, environment
from portal.environment import BASE_DIR, DATA_DIR, env, required
from projects import sealing

SECRET_KEY = required("SECRET_KEY", otherwise=embedded.kept_secret(DATA_DIR, "SECRET_KEY"))
# Newest first: the first encrypts, all decrypt.
_keys = required("FIELD_ENCRYPTION_KEYS", otherwise=embedded.kept_secret(DATA_DIR, "FIELD_ENCRYPTION_KEYS"))
FIELD_ENCRYPTION_KEYS = [key for key in _keys.split(",") if key]
if not all(sealing.is_key(key) for key in FIELD_ENCRYPTION_KEYS):
    sys.exit("FIELD_ENCRYPTION_KEYS holds what is no key: each is 32 random bytes in base64.")
DEBUG = False

# --- where we are ---------------------------------------------------------------------------------

BIND = env.str("BIND", default="127.0.0.1")
PORT = environment.whole("PORT", default=8000, least=1, most=65_535)
PUBLIC_URL = environment.address(
    "PUBLIC_URL",
    env.str("PUBLIC_URL", default=f"http://{BIND}:{PORT}").rstrip("/"),
    such_as="https://conversations.example.com",
)
WEB_WORKERS = environment.whole("WEB_WORKERS", default=2, least=1)
LOG_LEVEL = environment.one_of("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")

_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = environment.several(
    "ALLOWED_HOSTS", default=sorted({_public.hostname or "localhost", "127.0.0.1", "localhost", "[::1]"})
)
CSRF_TRUSTED_ORIGINS = environment.several(
    "CSRF_TRUSTED_ORIGINS", default=[f"{_public.scheme}://{_public.netloc}"]
)
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SESSION_COOKIE_NAME = "portal_session"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 31_536_000 if _public.scheme == "https" else 0
SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # HSTS follows from PUBLIC_URL above
    "security.W008",  # TLS ends at the operator's proxy: a redirect here would break API clients' POSTs
    *["security.W010", "security.W012", "security.W016"],  # secure cookies follow from PUBLIC_URL above
    # These look for middleware in MIDDLEWARE; it is in PORTAL_MIDDLEWARE, for the portal's paths alone.
    *["security.W002", "security.W003", "admin.E408", "admin.E409", "admin.E410", "axes.W002"],
]
APPEND_SLASH = False  # the official clients follow a redirected POST as a GET without its body

# --- the rooms ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "portal.apps.PortalAdminConfig",
    "retention",
    "conversations",
    "contacts",
    "webhooks",
    "projects",
    "outbox",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "portal.apps.PortalStaticFilesConfig",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "pghistory",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
]
MIDDLEWARE = [
    "portal.middleware.ProxiesMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "portal.counting.CountingMiddleware",
    "portal.middleware.LengthMiddleware",
    "portal.middleware.SecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.PortalOnlyMiddleware",
]
# The API carries no session, cookie or CSRF token: these run for the portal's paths alone.
PORTAL_MIDDLEWARE = [
    "portal.middleware.ProxiesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "projects.audit.AuditMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL and Redis -------------------------------------------------------------------------

DATABASE_URL = environment.address(
    "DATABASE_URL",
    required("DATABASE_URL", otherwise=embedded.database_url(DATA_DIR)),
    schemes=("postgres", "postgresql"),
    such_as="postgres://user:password@host:5432/name",
)
REDIS_URL = environment.address(
    "REDIS_URL",
    required("REDIS_URL", otherwise=embedded.redis_url(DATA_DIR)),
    schemes=("redis", "rediss", "unix"),
    such_as="redis://host:6379/0",
)
_database = env.db_url_config(DATABASE_URL)
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        # Without a threshold nothing is ever prepared, what outbox.statements asks for included.
        "OPTIONS": {"prepare_threshold": 5} | _database.get("OPTIONS", {}),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Redis comes back some time, and nothing is lost until then
CELERY_TASK_IGNORE_RESULT = True

# --- people ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_ONLY_ADMIN_SITE = False
OTP_TOTP_ISSUER = "Conversation API"

# --- the API --------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["projects.requests.authentication.AccessKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["projects.requests.authentication.HasProjectAccess"],
    "DEFAULT_PARSER_CLASSES": ["projects.requests.wire.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["projects.requests.wire.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "projects.requests.wire.AlwaysJSON",
    "EXCEPTION_HANDLER": "portal.errors.envelope",
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "portal.openapi.inspecting.OperationSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Conversation API",
    "DESCRIPTION": "One place to exchange messages with people over many channels.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": ["portal.openapi.document.complete"],
}
DEFAULT_PROCESSING_MODE = environment.one_of("DEFAULT_PROCESSING_MODE", "CONVERSATION", "DISPATCH")
API_RATE_LIMIT = environment.whole("API_RATE_LIMIT", default=800, least=0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
TOKEN_LIFETIME_SECONDS = environment.whole("TOKEN_LIFETIME_SECONDS", default=3599, least=1)
MAX_WEBHOOKS_PER_APP = environment.whole("MAX_WEBHOOKS_PER_APP", default=5, least=1)

# --- the outer wall -------------------------------------------------------------------------------

OUTBOUND_ALLOWED_NETWORKS = environment.networks("OUTBOUND_ALLOWED_NETWORKS")
EGRESS_PROXY = environment.address(
    "EGRESS_PROXY", env.str("EGRESS_PROXY", default=""), such_as="http://proxy:3128"
)
# Channel names, or {"*"} for all.
CHANNELS_SANDBOXED = environment.some_of("CHANNELS_SANDBOXED", ["*", *Channel])
CHANNEL_BASE_URLS = environment.addresses("CHANNEL_BASE_URLS", list(Channel))

WEBHOOK_TIMEOUT = environment.seconds("WEBHOOK_TIMEOUT", default=15.0)
WEBHOOK_RETRY_BASE = environment.seconds("WEBHOOK_RETRY_BASE", default=5.0)
WEBHOOK_RETRY_CAP = environment.seconds("WEBHOOK_RETRY_CAP", default=21_600.0)
# Events stand for 13 days: what is tried for longer would be tried without its body.
WEBHOOK_RETRY_WINDOW = environment.seconds("WEBHOOK_RETRY_WINDOW", default=259_200.0, most=13 * 86_400)
WEBHOOK_DISABLE_AFTER_DAYS = environment.whole("WEBHOOK_DISABLE_AFTER_DAYS", default=5, least=1, most=14)

EMAIL_URL = env.str("EMAIL_URL", default="")
EMAIL_TIMEOUT = 15  # seconds; without it a mail server that hangs is waited for without end
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="conversation-api@localhost")
vars().update(environment.mail_server("EMAIL_URL"))
ACCOUNT_MANAGER_EMAIL = env.str("ACCOUNT_MANAGER_EMAIL", default="")

# --- retention ------------------------------------------------------------------------------------

RETENTION_API_JUSTIFICATION = environment.one_of("RETENTION_API_JUSTIFICATION", "owed", "required")
RETENTION_READ_FILTER = environment.flag("RETENTION_READ_FILTER", default=True)
METRICS_NAME_APPS = environment.flag("METRICS_NAME_APPS", default=False)
ERASURE_RECORD = Path(env.str("ERASURE_RECORD", default=str(DATA_DIR / "erasures.jsonl")))
LEDGER_ANCHORS = Path(env.str("LEDGER_ANCHORS", default=str(DATA_DIR / "anchors")))
# Newest first: the first signs, all are known as ours. Empty: one is made in DATA_DIR.
LEDGER_SIGNING_KEYS = env.str("LEDGER_SIGNING_KEYS", default="")
if not all(sealing.is_key(key) for key in LEDGER_SIGNING_KEYS.split(",") if key):
    sys.exit("LEDGER_SIGNING_KEYS holds what is no key: each is 32 random bytes in base64.")
BACKUPS_KEPT_DAYS = environment.whole("BACKUPS_KEPT_DAYS", default=0, least=0)  # 0: nobody has said

# --- language, static files, logs -----------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
FORMAT_MODULE_PATH = "portal.formats"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "portal.logs.JSONFormatter"},
        "plain": {"()": "portal.logs.PlainFormatter"},
    },
    "filters": {"not_unimplemented": {"()": "portal.logs.NotUnimplemented"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain" if os.environ.get("RUNS_UNDER_UP") else "json",
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["not_unimplemented"]},
        "axes": {"level": "WARNING"},
        # A line for every tick of the clock, and another for its end.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
