"""The console's pages about people."""

from django.urls import path

from troth.people import views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/list.csv", views.take_along, name="take_people_along"),
    path("people/find/", views.find, name="find_person"),
    path("people/<uuid:person_id>/", views.person, name="person"),
    path("people/<uuid:person_id>/consent/", views.consent, name="consent"),
]
