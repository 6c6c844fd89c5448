"""Card purchases: products, orders, licences and receipts."""
