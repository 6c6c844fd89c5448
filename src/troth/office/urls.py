"""The URLs of the console, all of them. Of allauth only the views in use are mounted."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path

from troth.audience.console import token_views
from troth.audience.console import views as audience
from troth.contact import views as inbox
from troth.office import access_log_views, deletion_log_views, held_views, system_views, team_views, views
from troth.people import views as people
from troth.policy import retention_views
from troth.policy import views as promisepages
from troth.rights import views as desk

urlpatterns = [
    path("", views.today, name="today"),
    path("visitors/", audience.statistics, name="statistics"),
    path("visitors/now/", audience.now, name="statistics_now"),
    path("visitors/all/<str:kind>/", audience.more, name="statistics_more"),
    path("visitors/notes/", audience.note, name="statistics_note"),
    path("visitors/notes/<int:number>/remove/", audience.remove_note, name="statistics_note_remove"),
    path("visitors/excluded/", audience.out, name="statistics_out"),
    path("visitors/excluded/add/", audience.take_out, name="statistics_take_out"),
    path("visitors/excluded/<int:number>/restore/", audience.put_back, name="statistics_put_back"),
    path("people/", people.people, name="people"),
    path("people/export.csv", people.export_all, name="export_people"),
    path("people/search/", people.search, name="search_people"),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("people/<uuid:person_id>/consent/", people.consent, name="consent"),
    path("inbox/", inbox.messages, name="messages"),
    path("inbox/search/", inbox.find, name="find_messages"),
    path("inbox/saved-replies/", inbox.canned, name="canned"),
    path("inbox/saved-replies/<uuid:canned_id>/", inbox.canned_change, name="canned_change"),
    path("inbox/<uuid:thread_id>/", inbox.thread, name="thread"),
    path("inbox/<uuid:thread_id>/reply/", inbox.answer, name="answer"),
    path("inbox/<uuid:thread_id>/state/", inbox.state, name="thread_state"),
    path("inbox/<uuid:thread_id>/label/", inbox.label, name="thread_label"),
    path("people/<uuid:person_id>/edit/", desk.correct, name="edit_person"),
    path("people/<uuid:person_id>/export/", desk.export, name="export_person"),
    path("people/<uuid:person_id>/restrict/", desk.freeze, name="restrict_person"),
    path("people/<uuid:person_id>/delete/", desk.erase, name="delete_person"),
    path("deletion-log/", deletion_log_views.show, name="deletion_log"),
    path("deletion-log/<uuid:erasure_id>/", desk.erasure, name="erasure"),
    path("deletion-log/<uuid:erasure_id>/receipt.json", desk.receipt, name="receipt"),
    path("promises/", promisepages.show, name="promises"),
    path("promises/run/", promisepages.run_now, name="run_checks"),
    path("promises/progress/", promisepages.progress_now, name="promises_progress"),
    path("promises/runs/<uuid:run_id>/", promisepages.run, name="proof_run"),
    path("promises/policy/", promisepages.policy, name="policy"),
    path("promises/policy/publish/", promisepages.publish, name="publish_policy"),
    path("promises/policy/<int:number>/", promisepages.version, name="policy_version"),
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
    path("api-tokens/", token_views.show, name="api_tokens"),
    path("api-tokens/<uuid:token_id>/revoke/", token_views.end, name="api_token_end"),
    path("retention/", retention_views.show, name="retention"),
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
