"""The shop: products and prices, purchases through a card company, and what follows from them."""
