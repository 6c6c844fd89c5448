"""The console's pages about people."""

from django.urls import path

from troth.people import import_views, views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/export.csv", views.export_all, name="export_people"),
    path("people/import/", import_views.upload, name="import_people"),
    path("people/import/<uuid:ident>/", import_views.preview, name="import_preview"),
    path("people/import/<uuid:ident>/check/", import_views.check, name="import_check"),
    path("people/import/<uuid:ident>/confirm/", import_views.confirm, name="import_confirm"),
    path("people/import/<uuid:ident>/discard/", import_views.discard, name="import_discard"),
    path("people/search/", views.search, name="search_people"),
    path("people/<uuid:person_id>/", views.person, name="person"),
    path("people/<uuid:person_id>/consent/", views.consent, name="consent"),
]
