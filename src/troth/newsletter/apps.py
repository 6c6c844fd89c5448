"""The newsletter as a Django app."""

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    """Sign-ups, subscriptions and the mails they cause."""

    name = "troth.newsletter"
    label = "newsletter"
