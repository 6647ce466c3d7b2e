"""`/api/schema/`: the API for programs. `/api/docs/`: the same to read and to try."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import condition, require_safe

from portal.openapi import document

_YAML = "application/yaml"


def _wants_yaml(request: HttpRequest) -> bool:
    asked = request.GET.get("format") or request.headers.get("Accept", "")
    return "yaml" in asked


def _body(request: HttpRequest) -> bytes:
    return document.as_yaml() if _wants_yaml(request) else document.as_json()


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(_body(request)).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=_etag)
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1 as JSON; as YAML with `?format=yaml`, or for who accepts that."""
    kind = _YAML if _wants_yaml(request) else "application/json"
    return HttpResponse(_body(request), content_type=kind, headers={"vary": "Accept"})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The API's pages: nothing of them comes from elsewhere."""
    return render(request, "api/docs.html")
