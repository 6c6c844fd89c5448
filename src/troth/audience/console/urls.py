"""The console's pages of visitor statistics."""

from django.urls import path

from troth.audience.console import token_views, views

urlpatterns = [
    path("visitors/", views.statistics, name="statistics"),
    path("visitors/now/", views.now, name="statistics_now"),
    path("visitors/all/<str:kind>/", views.more, name="statistics_more"),
    path("visitors/notes/", views.note, name="statistics_note"),
    path("visitors/notes/<int:number>/remove/", views.remove_note, name="statistics_note_remove"),
    path("visitors/excluded/", views.out, name="statistics_out"),
    path("visitors/excluded/add/", views.take_out, name="statistics_take_out"),
    path("visitors/excluded/<int:number>/restore/", views.put_back, name="statistics_put_back"),
    path("api-tokens/", token_views.show, name="api_tokens"),
    path("api-tokens/<uuid:token_id>/revoke/", token_views.end, name="api_token_end"),
]
