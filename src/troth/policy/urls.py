"""The console's pages of the policy, its promises and retention."""

from django.urls import path

from troth.policy import retention_views, views

urlpatterns = [
    path("promises/", views.show, name="promises"),
    path("promises/run/", views.run_now, name="run_checks"),
    path("promises/progress/", views.progress_now, name="promises_progress"),
    path("promises/runs/<uuid:run_id>/", views.run, name="proof_run"),
    path("promises/policy/", views.policy, name="policy"),
    path("promises/policy/publish/", views.publish, name="publish_policy"),
    path("promises/policy/<int:number>/", views.version, name="policy_version"),
    path("retention/", retention_views.show, name="retention"),
]
