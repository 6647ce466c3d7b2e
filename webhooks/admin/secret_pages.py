"""A webhook's secret: given a new one with time to learn it; and whether a signature was made with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from projects import clock
from projects.admin.secrets import SecretField, described
from webhooks import rotating
from webhooks.admin import pages
from webhooks.delivering import keyrings
from webhooks.models import Webhook
from webhooks.trying import verifying

OVERLAPS: Final = {
    0: "none: the old one ends at once",
    1: "1 hour",
    24: "24 hours",
    72: "3 days",
    168: "7 days",
}
LONGEST_PASTED: Final = 300_000  # characters


class RotationForm(forms.Form):
    """Another secret."""

    new_secret = SecretField(
        label="New secret", help_text="Left empty, one is generated and shown on the next page, once."
    )
    overlap = forms.TypedChoiceField(
        label="Time for the receiver to learn it", choices=list(OVERLAPS.items()), coerce=int, initial=24,
        help_text="Until then the Standard Webhooks header carries a signature of each secret; the other header "
        "stays with the old one, until you let it change over.",
    )  # fmt: skip


class VerificationForm(forms.Form):
    """What a receiver got."""

    headers = forms.CharField(
        max_length=LONGEST_PASTED,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
        help_text="One a line, as “name: value”. Others than those of the signature do no harm.",
    )
    body = forms.CharField(
        max_length=LONGEST_PASTED,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
        help_text="As it came, before any parsing.",
    )

    def findings(self, webhook: Webhook) -> Any:
        """What the signatures come to, against every secret that still signs."""
        keyring = keyrings.of_webhooks([webhook])[webhook.id]
        body: str = self.cleaned_data["body"].replace("\r\n", "\n")  # a form's own line ends
        secrets = [secret.text for secret in keyring.secrets]
        return verifying.check(verifying.parsed(self.cleaned_data["headers"]), body.encode(), secrets)


def secret(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """What is set; posted, it is rotated or changed over."""
    form = RotationForm(request.POST if "rotate" in request.POST else None)
    if "flip" in request.POST:
        rotating.flip(webhook)
        messages.success(request, "Every signature is now made with the newest secret.")
        return HttpResponseRedirect(request.path)
    generated = ""
    if form.is_bound and form.is_valid():
        try:
            generated = _rotate(request, webhook, form)
        except ValidationError as refusal:
            form.add_error(None, " ".join(refusal.messages))
        else:
            form = RotationForm()
    keyring = keyrings.of_webhooks([webhook])[webhook.id]
    return pages.show(
        request,
        webhook,
        "secret",
        form=form,
        generated=generated,
        described=described(webhook.secret),
        keyring=keyring,
        retired=webhook.retired_secrets.live().order_by("-number"),
        may_flip=keyring.leader is not None and keyring.leader != keyring.secrets[0],
    )


def verify(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """Paste, and read."""
    form = VerificationForm(request.POST or None)
    findings = form.findings(webhook) if webhook.secret and form.is_valid() else None
    return pages.show(request, webhook, "verify", form=form, findings=findings)


def _rotate(request: HttpRequest, webhook: Webhook, form: RotationForm) -> str:
    """The new secret where it was generated, to be shown this once."""
    typed = form.cleaned_data["new_secret"]
    overlap = timedelta(hours=form.cleaned_data["overlap"])
    rotating.rotate(webhook, new_secret=typed or None, overlap=overlap, now=clock.now())
    messages.success(request, "The webhook has a new secret.")
    return "" if typed else webhook.secret
