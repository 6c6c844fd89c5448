"""The console's pages of the shop."""

from django.urls import path

from troth.shop import views

urlpatterns = [
    path("orders/", views.order_list, name="orders"),
    path("orders/search/", views.find_orders, name="find_orders"),
    path("orders/<uuid:order_id>/", views.order, name="order"),
    path("orders/<uuid:order_id>/refund/", views.refund_order, name="refund_order"),
    path("orders/<uuid:order_id>/resend/", views.resend_order, name="resend_order"),
    path("products/", views.product_list, name="products"),
]
