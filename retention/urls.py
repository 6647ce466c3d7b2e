"""Addresses of what is kept whatever the policies say, below one project."""

from django.urls import path

from retention import api

urlpatterns = [
    path("legal-holds", api.LegalHolds.as_view()),
    path("legal-holds/<hold_id>:release", api.ReleaseLegalHold.as_view()),
    path("legal-holds/<hold_id>", api.OneLegalHold.as_view()),
]
