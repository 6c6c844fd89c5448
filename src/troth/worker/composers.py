"""Which room puts which mail together. A kind that is not here is an error at the first mail of it."""

from troth.contact.mails import compose_answers
from troth.contact.notices import compose_notices
from troth.gate.models import Delivery
from troth.gate.outbox import Composer
from troth.newsletter.mails import compose_confirmations
from troth.rights.mails import compose_exports, compose_links
from troth.worker.broken_promise_mail import compose_alarms
from troth.worker.report_mail import compose_reports

COMPOSERS: dict[str, Composer] = {
    Delivery.Kind.CONFIRMATION: compose_confirmations,
    Delivery.Kind.ANSWER: compose_answers,
    Delivery.Kind.NOTICE: compose_notices,
    Delivery.Kind.RIGHTS: compose_links,
    Delivery.Kind.EXPORT: compose_exports,
    Delivery.Kind.REPORT: compose_reports,
    Delivery.Kind.ALARM: compose_alarms,
}
