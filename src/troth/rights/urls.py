"""The console's pages for what a person may demand."""

from django.urls import path

from troth.rights import views

urlpatterns = [
    path("people/<uuid:person_id>/edit/", views.correct, name="edit_person"),
    path("people/<uuid:person_id>/export/", views.export, name="export_person"),
    path("people/<uuid:person_id>/restrict/", views.freeze, name="restrict_person"),
    path("people/<uuid:person_id>/delete/", views.erase, name="delete_person"),
    path("deletion-log/<uuid:erasure_id>/", views.erasure, name="erasure"),
    path("deletion-log/<uuid:erasure_id>/receipt.json", views.receipt, name="receipt"),
]
