"""The door to the card company: what Troth asks it, as an interface that a second company can fill, and
Stripe's adapter.

No object of a company's own client goes beyond this package: each is turned at once into a frozen struct of the few
fields that are listed in `types.py`. No card number, address or name is among them.
"""
