"""The console's pages of the newsletter."""

from django.urls import path

from troth.newsletter import topic_views
from troth.newsletter.campaigns import feed_views, sending_views, views
from troth.newsletter.transactional import views as mail_templates

_ONE = "newsletter/<uuid:campaign_id>/"

urlpatterns = [
    path("newsletter/", views.campaigns, name="campaigns"),
    path("newsletter/new/", views.create, name="campaign_new"),
    path("newsletter/feed/", feed_views.bring, name="campaign_from_feed"),
    path("newsletter/feed/items/", feed_views.choose, name="campaign_feed_items"),
    path("newsletter/topics/", topic_views.topics, name="topics"),
    path("newsletter/topics/new/", topic_views.create, name="topic_new"),
    path("newsletter/topics/<uuid:topic_id>/", topic_views.change, name="topic"),
    path("newsletter/topics/<uuid:topic_id>/archive/", topic_views.archive, name="topic_archive"),
    path("newsletter/mail-templates/", mail_templates.show_all, name="mail_templates"),
    path("newsletter/mail-templates/new/", mail_templates.create, name="mail_template_new"),
    path("newsletter/mail-templates/<uuid:template_id>/", mail_templates.change, name="mail_template"),
    path("newsletter/mail-templates/<uuid:template_id>/email/", mail_templates.email, name="mail_template_email"),
    path("newsletter/mail-templates/<uuid:template_id>/delete/", mail_templates.delete, name="mail_template_delete"),
    path("newsletter/images/<str:image_name>", views.image, name="campaign_image"),
    path(_ONE, views.show, name="campaign"),
    path(f"{_ONE}save/", views.save, name="campaign_save"),
    path(f"{_ONE}preview/", views.preview, name="campaign_preview"),
    path(f"{_ONE}email/", views.email, name="campaign_email"),
    path(f"{_ONE}images/", views.add_image, name="campaign_add_image"),
    path(f"{_ONE}test/", views.test, name="campaign_test"),
    path(f"{_ONE}duplicate/", views.duplicate, name="campaign_duplicate"),
    path(f"{_ONE}hide/", views.hide, name="campaign_hide"),
    path(f"{_ONE}publish/", views.publish, name="campaign_publish"),
    path(f"{_ONE}delete/", views.delete, name="campaign_delete"),
    path(f"{_ONE}review/", sending_views.review, name="campaign_review"),
    path(f"{_ONE}check-dns/", sending_views.check_dns, name="campaign_check_dns"),
    path(f"{_ONE}schedule/", sending_views.schedule, name="campaign_schedule"),
    path(f"{_ONE}unschedule/", sending_views.unschedule, name="campaign_unschedule"),
    path(f"{_ONE}send/", sending_views.send, name="campaign_send"),
    path(f"{_ONE}progress/", sending_views.progress, name="campaign_progress"),
    path(f"{_ONE}pause/", sending_views.pause, name="campaign_pause"),
    path(f"{_ONE}resume/", sending_views.resume, name="campaign_resume"),
    path(f"{_ONE}cancel/", sending_views.cancel, name="campaign_cancel"),
    path(f"{_ONE}retry/", sending_views.retry, name="campaign_retry"),
    path(f"{_ONE}recipients/<str:outcome>/", sending_views.recipients, name="campaign_recipients"),
    path(f"{_ONE}recipients/<str:outcome>/export/", sending_views.export, name="campaign_recipients_export"),
]
