"""The console's pages of the inbox."""

from django.urls import path

from troth.contact import views

urlpatterns = [
    path("messages/", views.messages, name="messages"),
    path("messages/find/", views.find, name="find_messages"),
    path("messages/canned/", views.canned, name="canned"),
    path("messages/canned/<uuid:canned_id>/", views.canned_change, name="canned_change"),
    path("messages/<uuid:thread_id>/", views.thread, name="thread"),
    path("messages/<uuid:thread_id>/answer/", views.answer, name="answer"),
    path("messages/<uuid:thread_id>/state/", views.state, name="thread_state"),
    path("messages/<uuid:thread_id>/label/", views.label, name="thread_label"),
]
