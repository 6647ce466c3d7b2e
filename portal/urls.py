"""Every address of the house."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from conversations.callbacks import callback
from conversations.urls import version_2
from portal import health, metrics
from portal.api.apps import AppsView, AppView
from portal.api.justifications import JustificationsView
from portal.openapi import views as openapi
from projects.api import TokenView

# Below one project. An app is shown with what every room knows of it, so its resource is ours.
PROJECT: list[URLPattern | URLResolver] = [
    path("apps", AppsView.as_view()),
    path("apps/<app_id>", AppView.as_view()),
    path("apps/<app_id>/retention-justifications", JustificationsView.as_view()),
    path("", include("contacts.urls")),
    path("", include("webhooks.urls")),
    path("", include("conversations.urls")),
    path("", include("retention.urls")),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("oauth2/token", TokenView.as_view()),
    path("v1/projects/<project_id>/", include(PROJECT)),
    path("v2/projects/<project_id>/", include(version_2)),
    path("api/schema/", openapi.schema, name="api-schema"),
    path("api/docs/", openapi.docs),
    path("callbacks/<channel>/<credential_id>", callback),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
]

handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.permission_denied"
handler404 = "portal.errors.page_not_found"
handler500 = "portal.errors.server_error"
