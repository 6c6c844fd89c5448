"""The console's own forms at the door."""

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.mfa.base import forms as factors
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib.auth import password_validation

from troth.office.models import Operator

_GOOD_ONES = "At least 12 characters. A few words that only you would put together are good."


class PasswordForm(forms.Form):
    """A new password, behind a one-time link."""

    password = forms.CharField(
        label="New password",
        min_length=12,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_GOOD_ONES,
        error_messages={"required": "Choose a password.", "min_length": "That is too short."},
    )
    again = forms.CharField(
        label="The same once more",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Type it once more."},
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


class _OurWords:
    """Allauth's forms in the console's words: a label above each field, and no placeholder that repeats it."""

    labels: ClassVar[dict[str, str]] = {}
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.error_messages["required"] = "This is needed."
            if name == "password1":
                field.help_text = _GOOD_ONES
            if name == "code":
                field.widget.attrs |= {"class": "code", "inputmode": "text", "autocapitalize": "off"}


class SignInForm(_OurWords, account.LoginForm):  # type: ignore[misc]
    """The first step."""

    labels: ClassVar[dict[str, str]] = {"login": "E-mail address"}


class PasswordAgainForm(_OurWords, account.ReauthenticateForm):  # type: ignore[misc]
    """Is it you?"""


class ChangePasswordForm(_OurWords, account.ChangePasswordForm):  # type: ignore[misc]
    """A new password for the old one."""

    labels: ClassVar[dict[str, str]] = {
        "oldpassword": "Present password",
        "password1": "New password",
        "password2": "The same once more",
    }


class FirstPasswordForm(_OurWords, account.SetPasswordForm):  # type: ignore[misc]
    """For who came in by a link that signs in."""

    labels: ClassVar[dict[str, str]] = {"password1": "New password", "password2": "The same once more"}


class AddAppForm(_OurWords, ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new authenticator app."""

    labels: ClassVar[dict[str, str]] = {"code": "Six digits from the app"}


class CodeForm(_OurWords, factors.AuthenticateForm):  # type: ignore[misc]
    """The second step."""

    labels: ClassVar[dict[str, str]] = {"code": "Code from your authenticator app"}


class CodeAgainForm(_OurWords, factors.ReauthenticateForm):  # type: ignore[misc]
    """Is it you?"""

    labels: ClassVar[dict[str, str]] = {"code": "Code from your authenticator app, or a recovery code"}


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
