"""Sign-in and account forms of the console."""

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.mfa.base import forms as factors
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib.auth import password_validation

from troth.office.models import Operator

_PASSWORD_HINT = "At least 12 characters. Several random words work well."  # noqa: S105 - a hint, no password


class PasswordForm(forms.Form):
    """A new password, behind a one-time link."""

    password = forms.CharField(
        label="New password",
        min_length=12,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_PASSWORD_HINT,
        error_messages={"required": "Enter a password.", "min_length": "Use at least 12 characters."},
    )
    repeated = forms.CharField(
        label="Repeat password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Repeat your password."},
    )
    forget = forms.BooleanField(
        label="I lost access to my authenticator: remove my passkeys, authenticator app and recovery codes",
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

    def clean_repeated(self) -> str:
        """Refuse a repetition that differs."""
        repeated: str = self.cleaned_data["repeated"]
        if "password" in self.cleaned_data and repeated != self.cleaned_data["password"]:
            raise forms.ValidationError("The passwords do not match.")
        return repeated


class _ConsoleLabels:
    """Labels, hints and errors of the console for allauth's forms, without placeholders that repeat the label."""

    labels: ClassVar[dict[str, str]] = {}
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.error_messages["required"] = "This field is required."
            if name == "password1":
                field.help_text = _PASSWORD_HINT
            if name == "code":
                field.widget.attrs |= {"class": "code", "inputmode": "text", "autocapitalize": "off"}


class SignInForm(_ConsoleLabels, account.LoginForm):  # type: ignore[misc]
    """Ask for email address and password, the first factor."""

    labels: ClassVar[dict[str, str]] = {"login": "Email address"}


class PasswordAgainForm(_ConsoleLabels, account.ReauthenticateForm):  # type: ignore[misc]
    """Ask for the password, or a code, again before a security setting changes."""


class ChangePasswordForm(_ConsoleLabels, account.ChangePasswordForm):  # type: ignore[misc]
    """Change the password."""

    labels: ClassVar[dict[str, str]] = {
        "oldpassword": "Current password",
        "password1": "New password",
        "password2": "Repeat password",
    }


class FirstPasswordForm(_ConsoleLabels, account.SetPasswordForm):  # type: ignore[misc]
    """Set the first password after a one-time link."""

    labels: ClassVar[dict[str, str]] = {"password1": "New password", "password2": "Repeat password"}


class AddAppForm(_ConsoleLabels, ActivateTOTPForm):  # type: ignore[misc]
    """Ask for the first code of a new authenticator app."""

    labels: ClassVar[dict[str, str]] = {"code": "Six-digit code"}


class CodeForm(_ConsoleLabels, factors.AuthenticateForm):  # type: ignore[misc]
    """Ask for a code, the second factor."""

    labels: ClassVar[dict[str, str]] = {"code": "Code from your authenticator app"}


class CodeAgainForm(_ConsoleLabels, factors.ReauthenticateForm):  # type: ignore[misc]
    """Ask for the password, or a code, again before a security setting changes."""

    labels: ClassVar[dict[str, str]] = {"code": "Code from your authenticator app, or a recovery code"}


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Add a passkey that replaces the password, with a name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name"
        self.fields["name"].help_text = "For example, the device it is stored on."
        # The browser is always asked for a passkey that checks the person (PIN, finger or face), never for less.
        self.fields["passwordless"].widget = forms.HiddenInput()
        self.fields["passwordless"].initial = True

    def clean_passwordless(self) -> bool:
        """Return True: a passkey that does not verify its user is refused."""
        return True
