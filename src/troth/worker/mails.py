"""Which room puts which mail together. A kind that is not here is an error at the first mail of it."""

from troth.gate.models import Delivery
from troth.gate.outbox import Composer
from troth.letters.mails import compose_confirmations

COMPOSERS: dict[str, Composer] = {
    Delivery.Kind.CONFIRMATION: compose_confirmations,
}
