"""Secrets in forms: they are written, never shown. A form says that one is set, and takes another."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from gateway.channels.credentials import IS_A_MASK, LONG_ENOUGH, SHOWN, is_mask


def described(secret: str) -> str:
    """What may be said of a secret: “Set, ends in …9f2a”."""
    if not secret:
        return "Not set."
    if len(secret) < LONG_ENOUGH:
        return "Set."
    return f"Set, ends in …{secret[-SHOWN:]}."


def no_mask(secret: str) -> None:
    """What other pages show in a secret's place cannot be entered. Raises ValidationError."""
    if is_mask(secret):
        raise forms.ValidationError(f"This {IS_A_MASK}.")


class SecretField(forms.CharField):
    """Takes a new secret; left empty, the old one stays."""

    default_validators = [no_mask]

    def __init__(self, **options: Any) -> None:
        widget = forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        )
        super().__init__(required=False, strip=False, widget=widget, **options)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Something was typed."""
        return bool(data)


class SecretsForm(forms.ModelForm):
    """A form for a row that keeps `secrets`: of each, `new_…` takes another and `remove_…` takes it away."""

    secrets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in self.secrets:
            if f"new_{name}" in self.fields:  # not on a page that may only be read
                self._describe(name)

    def _describe(self, name: str) -> None:
        secret = "" if self.instance._state.adding else getattr(self.instance, name)
        field = self.fields[f"new_{name}"]
        if secret:
            field.help_text = f"{described(secret)} Leave empty to keep it. {field.help_text}"
        else:
            field.help_text = f"{described(secret)} {field.help_text}"
            self.fields[f"remove_{name}"].widget = forms.HiddenInput()  # there is nothing to take away

    def _post_clean(self) -> None:
        """Give the row its secrets before it validates itself."""
        for name in self.secrets:
            if self.cleaned_data.get(f"remove_{name}"):
                setattr(self.instance, name, "")
            if replacement := self.cleaned_data.get(f"new_{name}"):
                setattr(self.instance, name, replacement)
        super()._post_clean()  # type: ignore[misc]  # a hook that the stubs leave out


def remove_box() -> forms.BooleanField:
    """The box that takes a secret away."""
    return forms.BooleanField(required=False, label="Remove the secret")
