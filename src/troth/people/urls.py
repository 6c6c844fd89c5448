"""The console's pages about people."""

from django.urls import path

from troth.people import views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/export.csv", views.export_all, name="export_people"),
    path("people/search/", views.search, name="search_people"),
    path("people/<uuid:person_id>/", views.person, name="person"),
    path("people/<uuid:person_id>/consent/", views.consent, name="consent"),
]
