"""Every address of the console. What is not here does not exist: of allauth only what is used is mounted."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path

from troth.audience.console import token_views
from troth.audience.console import views as audience
from troth.contact import views as inbox
from troth.office import erasure_views, held_views, ledger_views, operator_views, system_views, views
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
    path("visitors/out/", audience.out, name="statistics_out"),
    path("visitors/out/take/", audience.take_out, name="statistics_take_out"),
    path("visitors/out/<int:number>/back/", audience.put_back, name="statistics_put_back"),
    path("people/", people.people, name="people"),
    path("people/list.csv", people.take_along, name="take_people_along"),
    path("people/find/", people.find, name="find_person"),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("people/<uuid:person_id>/consent/", people.consent, name="consent"),
    path("messages/", inbox.messages, name="messages"),
    path("messages/find/", inbox.find, name="find_messages"),
    path("messages/canned/", inbox.canned, name="canned"),
    path("messages/canned/<uuid:canned_id>/", inbox.canned_change, name="canned_change"),
    path("messages/<uuid:thread_id>/", inbox.thread, name="thread"),
    path("messages/<uuid:thread_id>/answer/", inbox.answer, name="answer"),
    path("messages/<uuid:thread_id>/state/", inbox.state, name="thread_state"),
    path("messages/<uuid:thread_id>/label/", inbox.label, name="thread_label"),
    path("people/<uuid:person_id>/correct/", desk.correct, name="correct_person"),
    path("people/<uuid:person_id>/export/", desk.export, name="export_person"),
    path("people/<uuid:person_id>/freeze/", desk.freeze, name="freeze_person"),
    path("people/<uuid:person_id>/erase/", desk.erase, name="erase_person"),
    path("erasures/", erasure_views.show, name="erasures"),
    path("erasures/<uuid:erasure_id>/", desk.erasure, name="erasure"),
    path("erasures/<uuid:erasure_id>/receipt.json", desk.receipt, name="receipt"),
    path("promises/", promisepages.show, name="promises"),
    path("promises/try/", promisepages.try_now, name="try_promises"),
    path("promises/progress/", promisepages.progress_now, name="promises_progress"),
    path("promises/runs/<uuid:run_id>/", promisepages.run, name="proof_run"),
    path("promises/policy/", promisepages.policy, name="policy"),
    path("promises/policy/publish/", promisepages.publish, name="publish_policy"),
    path("promises/policy/<int:number>/", promisepages.version, name="policy_version"),
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
    path("statistics/tokens/", token_views.show, name="api_tokens"),
    path("statistics/tokens/<uuid:token_id>/end/", token_views.end, name="api_token_end"),
    path("kept/", retention_views.kept, name="kept"),
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
