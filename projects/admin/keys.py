"""Access keys: issued with a secret that is shown once, and revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from projects import clock, keys
from projects.admin import cells
from projects.admin.scoped import ProjectScoped, VisibleFilter, by_state
from projects.models import AccessKey
from projects.roles import Right


@admin.register(AccessKey)
class AccessKeyAdmin(ProjectScoped):
    """Developers' ways into a project's API."""

    right = Right.PEOPLE
    list_display = ["name", "id", "project", "created_at", "revoked_at"]
    list_display_links = ["name", "id"]
    list_select_related = ["project"]
    list_filter = [("project", VisibleFilter), ("revoked_at", by_state("Valid", "Revoked"))]
    search_fields = ["name"]
    change_form_template = "admin/projects/accesskey/key.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (
            ["project", "name"] if obj is None else ["key_id", "project", "name", "created_at", "revoked_at"]
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else ["key_id", "project", "created_at", "revoked_at"]

    @admin.display(description="Key id")
    def key_id(self, key: AccessKey) -> SafeString:
        return cells.code(key.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are revoked: history names them."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """One more: the page that revokes a key."""
        revoke = path(
            "<path:object_id>/revoke/",
            self.admin_site.admin_view(self.revoke_view),
            name="projects_accesskey_revoke",
        )
        return [revoke, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: AccessKey, form: Any, change: bool) -> None:
        """A new key is issued with its secret."""
        if change:
            super().save_model(request, obj, form, change)
            return
        issued, obj.secret = keys.issue(project=obj.project, name=obj.name)  # type: ignore[attr-defined]  # for response_add
        obj.pk, obj._state.adding = issued.pk, False

    def response_add(
        self, request: HttpRequest, obj: AccessKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The secret, this once."""
        context = self.admin_site.each_context(request) | {
            "title": "Access key issued", "opts": self.opts, "key": obj,
            "secret": obj.secret,  # type: ignore[attr-defined]  # set by save_model
        }  # fmt: skip
        return TemplateResponse(request, "admin/projects/accesskey/issued.html", context)

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks, then revokes."""
        key = self.get_object(request, object_id)
        if key is None:
            return self.missing(request, object_id)
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        if request.method != "POST":
            context = self.admin_site.each_context(request) | {
                "title": f"Revoke {key}?", "opts": self.opts, "key": key, "original": key,
            }  # fmt: skip
            return TemplateResponse(request, "admin/projects/accesskey/revoke.html", context)
        if key.revoked_at is None:
            keys.revoke(key, now=clock.now())
            self.log_change(request, key, "Revoked.")
        messages.success(request, f"The key {key} no longer opens the API.")
        return HttpResponseRedirect(reverse("admin:projects_accesskey_change", args=[key.pk]))
