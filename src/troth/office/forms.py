"""The console's own forms at the door."""

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib.auth import password_validation

from troth.office.models import Operator


class PasswordForm(forms.Form):
    """A new password, behind a one-time link."""

    password = forms.CharField(
        label="New password",
        min_length=12,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. A few words that only you would put together are good.",
    )
    again = forms.CharField(
        label="The same once more",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget = forms.BooleanField(
        label="I lost my authenticator: remove my passkeys, authenticator app and recovery codes",
        required=False,
    )

    def __init__(self, operator: Operator, *args: Any, has_factors: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operator = operator
        if not has_factors:
            del self.fields["forget"]

    def clean_password(self) -> str:
        """Refuse a common password, or one like the operator's name."""
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.operator)
        return password

    def clean_again(self) -> str:
        """Refuse a slip of the finger."""
        again: str = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError("The two are not the same.")
        return again


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey that signs in by itself; a name tells it from others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name"
        self.fields["name"].help_text = "Such as the device it is kept on."
        # The browser is always asked for a passkey that checks the person (PIN, finger or face), never for less.
        self.fields["passwordless"].widget = forms.HiddenInput()
        self.fields["passwordless"].initial = True

    def clean_passwordless(self) -> bool:
        """Always: a key that does not check the person is refused."""
        return True
