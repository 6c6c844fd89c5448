"""The console's pages for what a person may demand."""

from django.urls import path

from troth.rights import views

urlpatterns = [
    path("people/<uuid:person_id>/correct/", views.correct, name="correct_person"),
    path("people/<uuid:person_id>/export/", views.export, name="export_person"),
    path("people/<uuid:person_id>/freeze/", views.freeze, name="freeze_person"),
    path("people/<uuid:person_id>/erase/", views.erase, name="erase_person"),
    path("erasures/<uuid:erasure_id>/", views.erasure, name="erasure"),
    path("erasures/<uuid:erasure_id>/receipt.json", views.receipt, name="receipt"),
]
