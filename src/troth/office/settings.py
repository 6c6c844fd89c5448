"""The console's part of Django's settings, which `troth.django_settings` adds to its own. Headers are strict, and pages
load nothing from other hosts."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.csp import CSP

_SRC = Path(__file__).resolve().parent.parent
_STATIC = (_SRC / "kit" / "static", _SRC / "office" / "static")

APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "troth.kit",
    "troth.office",
    "django.forms",  # after the kit, whose form templates come first
]

_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # Tabler's form controls and the set-up's QR code
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}

_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "troth.office.middleware.host_and_headers",
    "troth.office.swaps.pages_only",
    "troth.office.api.door",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "troth.office.middleware.session_end",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "troth.office.middleware.SecondFactor",
    "troth.office.middleware.Roles",
]


def static_digest() -> str:
    """Return a hash of all static files, which changes with any of them."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in _STATIC for path in folder.rglob("*") if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _always(path: str, url: str) -> bool:
    """Return True: static URLs contain a hash of all files, so browsers may cache them for ever."""
    return True


def _pages() -> dict[str, Any]:
    return {
        "ROOT_URLCONF": "troth.office.urls",
        "MIDDLEWARE": _MIDDLEWARE,
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [_SRC / "office" / "templates"],  # before allauth's own
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                        "troth.office.context.console",
                    ],
                },
            }
        ],
        "FORM_RENDERER": "troth.kit.forms.Renderer",
        "STATIC_URL": f"/static/{static_digest()}/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "WHITENOISE_IMMUTABLE_FILE_TEST": _always,
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        # One process, so that its memory can count sign-in attempts and remember spent TOTP codes.
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 256 * 1024,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 100,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 1,
        "FILE_UPLOAD_HANDLERS": ["troth.kit.uploads.OneFile"],
        "LANGUAGE_CODE": "en-gb",
        "USE_I18N": False,
        "EMAIL_BACKEND": "troth.office.sign_in.accounts.NoMail",
    }


def _security(url: str) -> dict[str, Any]:
    address = urlsplit(url)
    secure = address.scheme == "https"
    return {
        "ALLOWED_HOSTS": [address.hostname or "localhost"],
        "CSRF_TRUSTED_ORIGINS": [f"{address.scheme}://{address.netloc}"],
        "CSRF_FAILURE_VIEW": "troth.office.views.forged",
        "SECURE_CSP": _CSP,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "SECURE_HSTS_SECONDS": 31_536_000 if secure else 0,
        "SESSION_ENGINE": "troth.office.sign_in.sessionstore",
        "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
        "SESSION_COOKIE_NAME": "__Host-office" if secure else "office",
        "SESSION_COOKIE_AGE": 12 * 60 * 60,
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",  # Strict would ask for a sign-in after each link in an email
        "CSRF_COOKIE_NAME": "__Host-csrf" if secure else "csrf",
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
    }


def _sign_in(site_name: str) -> dict[str, Any]:
    return {
        "AUTH_USER_MODEL": "office.Operator",
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
            {
                "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
                "OPTIONS": {"user_attributes": ["email", "name"]},
            },
        ],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "today",
        "LOGOUT_REDIRECT_URL": "account_login",
        "ACCOUNT_ADAPTER": "troth.office.sign_in.accounts.AccountAdapter",
        "ACCOUNT_LOGIN_METHODS": {"email"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*"],
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_EMAIL_NOTIFICATIONS": False,
        "ACCOUNT_SESSION_REMEMBER": True,
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": 300,
        "ACCOUNT_RATE_LIMITS": {"login": "30/m/ip", "login_failed": "20/m/ip,5/5m/key", "reauthenticate": "10/m/user"},
        "MFA_ADAPTER": "troth.office.sign_in.accounts.FactorAdapter",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_PASSKEY_SIGNUP_ENABLED": False,
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,
        "MFA_TOTP_ISSUER": site_name,
        "MFA_TOTP_TOLERANCE": 1,
        "ACCOUNT_FORMS": {
            "login": "troth.office.forms.SignInForm",
            "reauthenticate": "troth.office.forms.PasswordAgainForm",
            "change_password": "troth.office.forms.ChangePasswordForm",
            "set_password": "troth.office.forms.FirstPasswordForm",
        },
        "MFA_FORMS": {
            "add_webauthn": "troth.office.forms.AddPasskeyForm",
            "activate_totp": "troth.office.forms.AddAppForm",
            "authenticate": "troth.office.forms.CodeForm",
            "reauthenticate": "troth.office.forms.CodeAgainForm",
        },
    }


def office(*, url: str, site_name: str) -> dict[str, Any]:
    """Return all settings that the console at `url` adds (`office.url` of `troth.toml`)."""
    return {**_pages(), **_security(url), **_sign_in(site_name)}
