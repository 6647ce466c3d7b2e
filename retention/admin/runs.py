"""The purge ledger: every run with its rows and its proof, and what became of a message."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from projects import authors, clock
from projects.admin import cells
from projects.admin.scoped import VisibleFilter
from projects.roles import reach
from retention.admin import facts
from retention.admin.panel import said
from retention.admin.rows import OfAnApp
from retention.models import Category, LedgerCheck, Purge
from retention.proving import certificates, lookup, verifying
from retention.proving.ledger import Record
from retention.proving.lookup import Answer, Fate

TONES = {
    Purge.State.RUNNING: "busy",
    Purge.State.FINISHED: "good",
    Purge.State.SUPERSEDED: "quiet",
    Purge.State.INTERRUPTED: "quiet",
}
# What a page says of a run beside the rest; the app's page says why the app was deleted.
OF_KIND: dict[str, list[str]] = {
    Purge.Kind.RETENTION: ["scope", "terms", "ground", "decided_by"],
    Purge.Kind.ERASURE: ["answered"],
    Purge.Kind.REQUEST: ["asked_with"],
}
ROWS_SHOWN = 500


@admin.register(Purge)
class PurgeAdmin(OfAnApp):
    """What was deleted, when, and on which ground."""

    list_display = [
        "started_at",
        "app",
        "why",
        "messages_deleted",
        "conversations_deleted",
        "held_back",
        "state_badge",
    ]
    list_select_related = ["app", "policy"]
    list_filter = [("app", VisibleFilter), "kind", "state", "started_at"]
    search_fields = ["reference__exact"]
    search_help_text = "The id of a run, an app, a key, or the request that an erasure answers."
    id_lookups = ("pk", "app", "reference")
    ordering = ["-id"]
    fields = ("kind", "app_page", "as_of", "override", "started_at", "ended_at", "state_badge")
    readonly_fields = [
        "app_page",
        "as_of",
        "terms",
        "ground",
        "decided_by",
        "answered",
        "asked_with",
        "state_badge",
    ]
    change_list_template = "admin/retention/ledger.html"
    change_form_template = "admin/retention/run.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Purge]:
        """With what each run deleted."""
        counted = {f"{name}_gone": Sum(f"batches__{name}") for name in ("messages", "conversations", "held")}
        runs: QuerySet[Purge] = super().get_queryset(request).annotate(**counted)
        return runs

    @admin.display(description="Why", ordering="kind")
    def why(self, run: Purge) -> str:
        return self.terms(run) if run.ttl_days is not None else run.get_kind_display()

    @admin.display(description="Policy")
    def terms(self, run: Purge) -> str:
        return capfirst(said(run.retention_type, run.ttl_days)) if run.ttl_days is not None else "–"

    @admin.display(description="What was due as of")
    def as_of(self, run: Purge) -> str:
        return str(localize(run.moment))

    @admin.display(description="Legal ground")
    def ground(self, run: Purge) -> SafeString | str:
        version = run.policy
        given = version and (version.justification or (version.owed and version.owed.justification))
        if given:
            return cells.link(given, to=reverse("admin:retention_justification_change", args=[given.pk]))
        if version and version.owed_id:
            return cells.link("Owed", to=reverse("admin:retention_oweditem_change", args=[version.owed_id]))
        return "The default: it needs none"

    @admin.display(description="Decided by")
    def decided_by(self, run: Purge) -> str:
        version = run.policy
        return authors.named(version.author, version.author_key) if version else "nobody: the default"

    @admin.display(description="Request")
    def answered(self, run: Purge) -> SafeString:
        page = reverse("admin:retention_privacyrequest_change", args=[run.reference])
        return cells.link(run.reference, to=page)

    @admin.display(description="Asked with the key")
    def asked_with(self, run: Purge) -> SafeString:
        return cells.link(run.reference, to=reverse("admin:projects_accesskey_change", args=[run.reference]))

    def get_fields(self, request: HttpRequest, obj: Purge | None = None) -> list[Any]:
        """A deletion that no policy asked for has none, and another reason."""
        of_its_kind = OF_KIND.get(obj.kind, []) if obj else []
        return facts.filled(obj, [*self.fields[:2], *of_its_kind, *self.fields[2:]])

    @admin.display(description="Messages")
    def messages_deleted(self, run: Any) -> int:
        return run.messages_gone or 0

    @admin.display(description="Conversations")
    def conversations_deleted(self, run: Any) -> int:
        return run.conversations_gone or 0

    @admin.display(description="Held back")
    def held_back(self, run: Any) -> int:
        return run.held_gone or 0

    @admin.display(description="State", ordering="state")
    def state_badge(self, run: Purge) -> SafeString:
        return cells.state(run.get_state_display(), TONES[Purge.State(run.state)])

    def get_urls(self) -> list[URLPattern]:
        """The look-up, the certificate for machines and for people, and the chain looked at again."""
        views: dict[str, tuple[str, Any]] = {
            "look-up/": ("look_up", self.look_up_view),
            "<path:object_id>/certificate.json": ("certificate", self.certificate_view),
            "<path:object_id>/certificate/": ("printed", self.printed_view),
            "<path:object_id>/verify/": ("verify", self.verify_view),
        }
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"retention_purge_{name}")
                for route, (name, view) in views.items()
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        run: Purge = options["obj"]
        context["batches"] = run.batches.order_by("number").defer("ids")[:ROWS_SHOWN]
        return super().render_change_form(request, context, *args, **options)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The runs, under what the last look through the whole ledger found."""
        check = LedgerCheck.objects.latest_one()
        return super().changelist_view(request, {**(extra_context or {}), "check": check})

    def look_up_view(self, request: HttpRequest) -> HttpResponse:
        """What became of a message, conversation or event, in any project that the caller sees."""
        wanted = request.GET.get("id", "").strip().upper()
        context = self.admin_site.each_context(request) | {
            "title": "What became of it?", "opts": self.opts, "wanted": wanted,
            "answer": self._answer(request, wanted) if wanted else None,
        }  # fmt: skip
        return TemplateResponse(request, "admin/retention/look_up.html", context)

    def certificate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The signed file that proves the run without us."""
        certificate = self._certificate(request, object_id)
        if isinstance(certificate, HttpResponse):
            return certificate
        name = f"certificate-{certificate['run']['id']}.json"
        return JsonResponse(
            certificate,
            json_dumps_params={"indent": 1, "ensure_ascii": False},
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def printed_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The same for paper."""
        certificate = self._certificate(request, object_id)
        if isinstance(certificate, HttpResponse):
            return certificate
        run: Any = self.get_object(request, object_id)
        context = self.admin_site.each_context(request) | {
            "title": "Certificate of deletion", "opts": self.opts, "original": run, "certificate": certificate,
            "said": self.terms(run), "category": _category(certificate), "written": [
                (facts.called(table), count) for table, count in certificate["counts"]["satellites"].items()
            ],
        }  # fmt: skip
        return TemplateResponse(request, "admin/retention/certificate.html", context)

    def verify_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Compute the app's whole chain again."""
        run: Purge | None = self.get_object(request, object_id)
        if run is None:
            return self.missing(request, object_id)
        if request.method == "POST":
            rows, fault = verifying.verify_chain(run.app_id)
            if fault:
                messages.error(request, f"The ledger is not as it was written. {fault}.")
            else:
                messages.success(
                    request,
                    f"The app's chain is whole: {rows} row{'' if rows == 1 else 's'}, each as it was written.",
                )
        return self._to(run)

    def _answer(self, request: HttpRequest, wanted: str) -> Answer:
        for project in reach(request).projects():
            answer = lookup.what_became_of(project, wanted)
            if answer.fate != Fate.UNKNOWN:
                return answer
        return Answer(Fate.UNKNOWN)

    def _certificate(self, request: HttpRequest, object_id: str) -> Record | HttpResponse:
        """The run's, or the answer where there is none."""
        run: Purge | None = self.get_object(request, object_id)
        if run is None:
            return self.missing(request, object_id)
        try:
            return certificates.of(run, now=clock.now())
        except certificates.NothingDeleted:
            messages.error(request, "This run deleted nothing: there is nothing to certify.")
            return self._to(run)

    def _to(self, run: Purge) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:retention_purge_change", args=[run.pk]))


def _category(certificate: Record) -> str:
    """The legal ground's, in words."""
    ground = (certificate["policy"] or {}).get("justification")
    return Category(ground["category"]).label if ground else ""
