"""The shop's forms for operators."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from troth.core import money


class OrderSearchForm(forms.Form):
    """A search: an order's number, the last four digits of a card, or an email address."""

    sought = forms.CharField(max_length=254, error_messages={"required": "Enter a number or an email address"})


class RefundForm(forms.Form):
    """How much goes back. Empty: all that is left."""

    amount = forms.CharField(label="Amount", max_length=20, required=False)

    def __init__(self, data: Any, currency: str) -> None:
        super().__init__(data)
        self._currency = currency

    def clean_amount(self) -> int | None:
        """Return the amount in smallest units; None for all."""
        text = self.cleaned_data["amount"].strip()
        try:
            return money.smallest_units(text, self._currency) if text else None
        except money.AmountRefused as error:
            raise ValidationError(str(error)) from None
