"""Templates over the API: version 2 of the contract's own service for them."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import payloads
from conversations.api.template_bodies import TemplateBody, TemplateChange, TranslationFilter
from conversations.composing import templates
from conversations.composing.templating import LATEST, same_language
from conversations.models import Template
from projects import clock, ids
from projects.audit import by_key
from projects.requests.scoping import ProjectView
from projects.requests.wire import AlreadyExists, FailedPrecondition


class Templates(ProjectView):
    """`/templates`."""

    def get(self, request: Request, project_id: str) -> Response:
        """All of the project, oldest first."""
        rows = Template.objects.of_project(self.project_id).as_listed().order_by("key")
        return Response({"templates": [payloads.template_as_read(row) for row in rows]})

    def post(self, request: Request, project_id: str) -> Response:
        """Make one, with the id that the client chose, or with ours."""
        body = TemplateBody.read(request.data)
        wanted, public_id = body["wanted"], body["id"] or ids.ulid()
        try:
            with by_key(request):
                template = templates.create(
                    wanted, project_id=self.project_id, public_id=public_id, now=clock.now()
                )
        except templates.Taken as refusal:
            raise AlreadyExists(str(refusal)) from refusal
        return Response(payloads.template(template))


class OneTemplate(ProjectView):
    """`/templates/{template_id}`."""

    def get(self, request: Request, project_id: str, template_id: str) -> Response:
        """The template."""
        row = _found(Template.objects.of_project(self.project_id).as_listed(), template_id)
        return Response(payloads.template_as_read(row))

    @transaction.atomic
    def put(self, request: Request, project_id: str, template_id: str) -> Response:
        """Replace it whole, from the version that the client has seen."""
        row = self.locked(template_id)
        body = TemplateChange.read(request.data)
        try:
            with by_key(request):
                templates.change(row, body["wanted"], seen=body["version"], now=clock.now())
        except templates.Stale as refusal:
            raise FailedPrecondition(str(refusal)) from refusal
        return Response(payloads.template(row))

    @transaction.atomic
    def delete(self, request: Request, project_id: str, template_id: str) -> Response:
        """Delete it with all its versions. Messages that still wait for it fail."""
        with by_key(request):
            self.locked(template_id).delete()
        return Response()

    def locked(self, template_id: str) -> Template:
        """The template, held until the end of the transaction. Raises NotFound."""
        return _found(Template.objects.of_project(self.project_id).select_for_update(), template_id)


class Translations(ProjectView):
    """`/templates/{template_id}/translations`."""

    def get(self, request: Request, project_id: str, template_id: str) -> Response:
        """Every version of every language, those that are no longer listed last."""
        asked = TranslationFilter.read_query(request.query_params)
        row = _found(Template.objects.of_project(self.project_id), template_id)
        version = asked.get("translation_version", "")
        if version == LATEST:
            shown = payloads.latest(row)
        else:
            rows = [one for one in row.translations.all() if version in ("", one.version)]
            shown = [payloads.translation(one) for one in rows]
        if language := asked.get("language_code"):
            wanted = same_language(language)
            shown = [one for one in shown if same_language(one["language_code"]) == wanted]
        return Response({"translations": shown})


def _found(rows: QuerySet[Template], public_id: str) -> Template:
    """The template with this id among those the caller may see. Raises NotFound."""
    try:
        return rows.get(public_id=public_id)
    except Template.DoesNotExist:
        raise NotFound(f"There is no template with the id {public_id[:64]!r}.") from None
