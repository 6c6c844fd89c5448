"""Every address of the console. What is not here does not exist: of allauth only what is used is mounted."""

from importlib import import_module

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path

from troth.core.rooms import rooms
from troth.office import erasure_views, held_views, ledger_views, operator_views, system_views, views

urlpatterns = [
    path("", views.today, name="today"),
    *(pattern for room in rooms() if room.urls for pattern in import_module(room.urls).urlpatterns),
    path("erasures/", erasure_views.show, name="erasures"),
    path("ledger/", ledger_views.show, name="ledger"),
    path("ledger/verify/", ledger_views.verify, name="ledger_verify"),
    path("held/", held_views.show, name="held"),
    path("held/<uuid:held_id>/release/", held_views.release, name="held_release"),
    path("held/<uuid:held_id>/drop/", held_views.drop, name="held_drop"),
    path("held/words/<uuid:cause_id>/spare/", held_views.spare, name="held_spare"),
    path("held/words/<uuid:cause_id>/uphold/", held_views.uphold, name="held_uphold"),
    path("house/", system_views.show, name="house"),
    path("operators/", operator_views.show, name="operators"),
    path("operators/add/", operator_views.add, name="operator_add"),
    path("operators/<uuid:operator_id>/role/", operator_views.role, name="operator_role"),
    path("operators/<uuid:operator_id>/link/", operator_views.link, name="operator_link"),
    path("operators/<uuid:operator_id>/remove/", operator_views.remove, name="operator_remove"),
    path("look/", views.look, name="look"),
    path("welcome/<str:token>", views.welcome, name="welcome"),
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/second/", factors.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-out/", account.logout, name="account_logout"),
    path("sign-in/off/", account.account_inactive, name="account_inactive"),
    path("account/", factors.index, name="mfa_index"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/first/", account.password_set, name="account_set_password"),
    path("account/again/", account.reauthenticate, name="account_reauthenticate"),
    path("account/again/code/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("account/again/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/app/add/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("account/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("account/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
]

handler400 = "troth.office.views.bad_request"
handler403 = "troth.office.views.forbidden"
handler404 = "troth.office.views.not_found"
handler429 = "troth.office.views.too_many"
handler500 = "troth.office.views.broken"
