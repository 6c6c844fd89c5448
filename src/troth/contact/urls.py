"""The console's pages of the inbox."""

from django.urls import path

from troth.contact import views

urlpatterns = [
    path("inbox/", views.messages, name="messages"),
    path("inbox/search/", views.find, name="find_messages"),
    path("inbox/saved-replies/", views.canned, name="canned"),
    path("inbox/saved-replies/<uuid:canned_id>/", views.canned_change, name="canned_change"),
    path("inbox/<uuid:thread_id>/", views.thread, name="thread"),
    path("inbox/<uuid:thread_id>/reply/", views.answer, name="answer"),
    path("inbox/<uuid:thread_id>/state/", views.state, name="thread_state"),
    path("inbox/<uuid:thread_id>/label/", views.label, name="thread_label"),
]
