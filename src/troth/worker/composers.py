"""What writes each kind of email. A kind that is not here is an error at the first email of it."""

from troth.core.rooms import Compose, rooms
from troth.gate.email_kinds import ALARM, REPORT
from troth.worker.broken_promise_mail import compose_alarms
from troth.worker.report_mail import compose_reports

COMPOSERS: dict[str, Compose] = {
    **{kind.name: compose for room in rooms() for kind, compose in room.mails.items()},
    REPORT.name: compose_reports,
    ALARM.name: compose_alarms,
}
