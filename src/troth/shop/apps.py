"""The shop as a Django app."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Products, orders and the money that came and went."""

    name = "troth.shop"
    label = "shop"
