"""Logging in with a second factor, and the page on which a person sets theirs up."""

from __future__ import annotations

import secrets
from typing import Any, Final

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import user_login_failed
from django.contrib.auth.forms import UsernameField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django_otp import login as verify
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

RECOVERY_CODES: Final = 10
TOTP_DIGITS: Final = 6


class LoginForm(AdminAuthenticationForm):
    """User name, password and, where the person has set one up, the second factor."""

    # Longer ones are nobody's, and the count of wrong tries has no room for them.
    username = UsernameField(max_length=150, widget=forms.TextInput(attrs={"autofocus": True}))
    otp_token = forms.CharField(
        label="Code", required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "maxlength": 32}),
        help_text="Only if you have set up a second factor: six digits of your app, or a recovery code.",
    )  # fmt: skip

    def confirm_login_allowed(self, user: Any) -> None:
        """The password was right. Raises ValidationError unless the second factor is, too."""
        super().confirm_login_allowed(user)
        if not TOTPDevice.objects.filter(user=user, confirmed=True).exists():
            return
        token = self.cleaned_data.get("otp_token", "").replace(" ", "").lower()
        if not token:
            raise ValidationError("Enter the code of your second factor.", code="otp_required")
        user.otp_device = _device_that_takes(token, user)
        if user.otp_device is None:
            # Counted like a wrong password, so that guessing locks.
            user_login_failed.send(
                sender=__name__, credentials={"username": user.get_username()}, request=self.request
            )
            raise ValidationError("The code is wrong, or was used before.", code="otp_invalid")


def _device_that_takes(token: str, user: Any) -> TOTPDevice | StaticDevice | None:
    """The device that the token's shape belongs to, if it is right: trying others would count against them."""
    is_totp = token.isdigit() and len(token) == TOTP_DIGITS
    kind = TOTPDevice if is_totp else StaticDevice
    with transaction.atomic():
        device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None or not device.verify_is_allowed()[0] or not device.verify_token(token):
            return None
        return device


class ConfirmForm(forms.Form):
    """The first code of an authenticator app."""

    code = forms.CharField(
        label="Six digits of the app", max_length=8,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )  # fmt: skip


class PasswordForm(forms.Form):
    """The person's password, once more, before the second factor goes."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def security_view(request: HttpRequest) -> HttpResponse:
    """The person's own second factor: set up, or switched off."""
    if TOTPDevice.objects.filter(user=request.user, confirmed=True).exists():
        return _switch_off(request)
    return _set_up(request)


def _set_up(request: HttpRequest) -> HttpResponse:
    device, _ = TOTPDevice.objects.get_or_create(user=request.user, confirmed=False, defaults={"name": "App"})
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if device.verify_token(form.cleaned_data["code"].replace(" ", "")):
            codes = _confirm(device)
            verify(request, device)
            return _page(request, codes=codes, title="Keep these recovery codes")
        form.add_error("code", "This is not the code that the app shows now.")
    key = _grouped(device)
    return _page(request, form=form, qr=_qr(device.config_url), key=key, title="Set up a second factor")


@transaction.atomic
def _confirm(device: TOTPDevice) -> list[str]:
    """Ask for the device from now on. Returns the codes for the day when it is lost."""
    device.confirmed = True
    device.save()
    StaticDevice.objects.filter(user=device.user).delete()
    recovery = StaticDevice.objects.create(user=device.user, name="Recovery codes")
    codes = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    return codes


def _switch_off(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if request.user.check_password(form.cleaned_data["password"]):
            TOTPDevice.objects.filter(user=request.user).delete()
            StaticDevice.objects.filter(user=request.user).delete()
            messages.success(request, "The second factor is off: your password alone opens the portal.")
            return HttpResponseRedirect(reverse("admin:security"))
        form.add_error("password", "This is not your password.")
    left = StaticToken.objects.filter(device__user=request.user).count()
    return _page(request, form=form, codes_left=left, title="Second factor")


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    context = admin.site.each_context(request) | context
    return TemplateResponse(request, "admin/security/security.html", context)


def _grouped(device: TOTPDevice) -> str:
    """The key in base 32, in fours, for typing it in."""
    key = device.config_url.partition("secret=")[2].partition("&")[0]
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def _qr(url: str) -> SafeString:
    """A drawing without any inline style: the policy would refuse it."""
    drawing = segno.make(url, error="m").svg_inline(scale=5, border=2, light="#fff", dark="#000")
    return mark_safe(drawing)  # noqa: S308 - segno draws squares; the URL is not in it
