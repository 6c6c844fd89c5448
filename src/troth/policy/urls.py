"""The console's pages of the policy, its promises and retention."""

from django.urls import path

from troth.policy import retention_views, views

urlpatterns = [
    path("promises/", views.show, name="promises"),
    path("promises/try/", views.try_now, name="try_promises"),
    path("promises/progress/", views.progress_now, name="promises_progress"),
    path("promises/runs/<uuid:run_id>/", views.run, name="proof_run"),
    path("promises/policy/", views.policy, name="policy"),
    path("promises/policy/publish/", views.publish, name="publish_policy"),
    path("promises/policy/<int:number>/", views.version, name="policy_version"),
    path("kept/", retention_views.kept, name="kept"),
]
