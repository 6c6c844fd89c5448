"""The URLs of the console, all of them. Of allauth only the views in use are mounted."""

from importlib import import_module

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path

from troth.core.rooms import rooms
from troth.office import access_log_views, deletion_log_views, held_views, system_views, team_views, views

urlpatterns = [
    path("", views.today, name="today"),
    *(pattern for room in rooms() if room.urls for pattern in import_module(room.urls).urlpatterns),
    path("deletion-log/", deletion_log_views.show, name="deletion_log"),
    path("access-log/", access_log_views.show, name="access_log"),
    path("access-log/verify/", access_log_views.verify, name="access_log_verify"),
    path("held/", held_views.show, name="held"),
    path("held/<uuid:held_id>/release/", held_views.release, name="held_release"),
    path("held/<uuid:held_id>/drop/", held_views.drop, name="held_drop"),
    path("held/words/<uuid:cause_id>/spare/", held_views.spare, name="held_spare"),
    path("held/words/<uuid:cause_id>/uphold/", held_views.uphold, name="held_uphold"),
    path("status/", system_views.show, name="system_status"),
    path("team/", team_views.show, name="team"),
    path("team/add/", team_views.add, name="team_add"),
    path("team/<uuid:operator_id>/role/", team_views.role, name="team_role"),
    path("team/<uuid:operator_id>/link/", team_views.link, name="team_link"),
    path("team/<uuid:operator_id>/remove/", team_views.remove, name="team_remove"),
    path("look/", views.look, name="look"),
    path("welcome/<str:token>", views.welcome, name="welcome"),
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/second/", factors.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-out/", account.logout, name="account_logout"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("account/", factors.index, name="mfa_index"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/set/", account.password_set, name="account_set_password"),
    path("account/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("account/confirm/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
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
