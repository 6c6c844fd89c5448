"""A form, whichever it is: shown, checked, sealed, handed to the clerk. Touches the clerk's line only.

Refusals go by cost: connection, tickets, size, shape, fields, proof, robots, seal. Whoever is thanked has handed
something in: what is not taken comes back with what was typed (WALL 4). A pasted form outlives the settings it was made
from; where it does not fit them any more, it comes back as it is now.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from troth.core.contact_details import WORDS
from troth.core.entry import Entry
from troth.core.errors import TrothError
from troth.core.purpose import Category
from troth.front import responses
from troth.front.channels.clerk_client import AlreadySpent, ClerkBusy, ClerkGone
from troth.front.forms.embed import embed_html
from troth.front.forms.fields import FieldsRefused, WordingUnknown, read, showable, tidied
from troth.front.forms.form import TRAPS, Form, ticked
from troth.front.forms.proof_of_work import SolvedWork, TooEarly, WorkRefused
from troth.front.http.form_parsing import FormRefused, check_type, parse
from troth.front.http.log import LogEvent, tell
from troth.front.request_context import Visit, body, require_private, visit, wants_json
from troth.front.snapshot import Snapshot

type View = Callable[[Request], Awaitable[Response]]


def shown(name: str) -> View:
    """Return the view for GET: the empty form, or with `?embed` the one for the vendor's own page."""

    async def show(request: Request) -> Response:
        require_private(request)
        snapshot = visit(request).snapshot
        form = _form(snapshot, name)
        if request.scope["troth_embed"]:
            return HTMLResponse(embed_html(snapshot.published, form))
        return responses.form(snapshot, form, ticket=snapshot.work.ticket())

    return show


def taken(name: str) -> View:
    """Return the view for POST: a filled form. 303 to a thanks page once it is on the disk."""

    async def take(request: Request) -> Response:
        require_private(request)
        return await _submit(request, _form(visit(request).snapshot, name))

    return take


def _form(snapshot: Snapshot, name: str) -> Form:
    form = snapshot.forms.get(name)
    if form is None:
        raise FormRefused(404, "There is no form at this address.", mend="Please check the address for typos.")
    return form


async def challenge(request: Request) -> Response:
    """Answer GET with work for a browser to do; an empty object where none is asked for."""
    work = visit(request).snapshot.work
    return JSONResponse(work.challenge() if work.mean else {})


async def _submit(request: Request, form: Form) -> Response:
    context = visit(request)
    wait = context.buckets.take(context.caller.bucket)
    if wait:
        return slow_down(request, context.snapshot, wait)
    check_type(request.headers.get("content-type", "").encode(), request.headers.get("content-encoding", "").encode())
    typed = parse(await body(request, form.limit), form.allowed)
    return await _Submission(request, context, form.as_filled(typed), typed).take()


def slow_down(request: Request, snapshot: Snapshot, wait: float) -> Response:
    """Return the refusal (429) of whoever sends too many forms."""
    seconds = math.ceil(wait)
    unit = "second" if seconds == 1 else "seconds"
    answer = responses.error(
        request, snapshot, 429, "Too many forms were sent from your network.", f"Please try again in {seconds} {unit}."
    )
    answer.headers["retry-after"] = str(seconds)
    answer.headers["connection"] = "close"  # the body was not read
    return answer


class _Submission:
    """One filled form on its way; every refusal gives back what was typed."""

    def __init__(self, request: Request, context: Visit, form: Form, typed: dict[str, str]) -> None:
        self._request, self._here, self._asked, self._typed = request, context, form, typed
        self._work, self._trapped = context.snapshot.work, form.is_trapped(typed)
        back = typed.get("back", "")
        self._back = back if back in form.back else ""  # word for word one that the operator listed, or nowhere
        fields = tidied(form, typed)
        self._texts = fields.texts
        self._masked = fields.masked
        """A card number was taken out just now; a form that comes back says so, and is not told apart afterwards."""

    async def take(self) -> Response:
        changed = self._changed()
        if changed:
            return self._anew(changed)
        try:
            entry = read(self._asked, self._typed, self._texts)
        except FieldsRefused as refused:
            return self._mend(refused.problems)
        except WordingUnknown:
            return self._reword()
        try:
            proof = self._proof()
        except TooEarly as early:
            return self._again(422, "Almost there", f"{early} {early.mend}", waiting=True)
        except WorkRefused as refused:
            return self._again(422, "One more step", f"{refused} {refused.mend}")
        if proof is None and self._wants_proof:
            return self._one_more_step()
        return await self._hand(entry, proof)

    def _changed(self) -> str:
        """What of a pasted form does not fit the settings any more; empty where it does."""
        if self._typed.get("back", "") != self._back:
            setting = self._asked.back_setting
            operator = f" For the operator: add its address to return_urls under {setting}." if setting else ""
            return f"This form cannot return to the page it is on, because that page is not listed.{operator}"
        if not self._asked.offers_all(self._typed):
            return "A topic that you chose is no longer offered."
        removed = self._asked.no_longer_asked(self._typed)
        names = ", ".join(WORDS[category] for category in removed)
        return f"This form no longer asks for: {names}. What you entered there was not stored." if removed else ""

    @property
    def _wants_proof(self) -> bool:
        return bool(self._work.mean) or self._trapped

    def _proof(self) -> SolvedWork | None:
        if self._typed.get("altcha"):
            return self._work.redeem_work(self._typed["altcha"])
        if self._typed.get("ticket") and self._wants_proof:
            return self._work.redeem_ticket(self._typed["ticket"])
        return None

    async def _hand(self, entry: Entry, proof: SolvedWork | None) -> Response:
        envelope = self._here.snapshot.sealing.seal(entry)
        once, until = (proof.once, proof.until) if proof else (None, 0)
        try:
            await self._here.line.hand(entry.kind, envelope, once=once, until=until)
        except AlreadySpent:
            return self._again(
                409,
                "Already sent",
                "This form has already been sent. To send it again, press the button once more.",
            )
        except ClerkBusy as busy:
            tell(LogEvent.CLERK_BUSY)
            return self._later(busy, busy.retry_after)
        except ClerkGone as error:
            tell(LogEvent.CLERK_GONE)
            return self._later(error, error.retry_after)
        return self._done()

    def _done(self) -> Response:
        """On to the thanks: on the vendor's page where it listed one, on ours where there is more to say."""
        snapshot, form, back = self._here.snapshot, self._asked, self._back
        path = f"thanks/{form.thanks}"
        if self._masked:
            path += f"/masked/{form.back.index(back)}" if back else "/masked"
        if back and not self._masked:
            where = form.thanked_at(back)
        elif wants_json(self._request):
            where = f"{snapshot.published.url}/{path}"
        else:
            where = snapshot.path(path)
        return JSONResponse({"next": where}) if wants_json(self._request) else responses.go(where)

    def _later(self, why: TrothError, seconds: int) -> Response:
        answer = self._again(503, "Temporarily unavailable", f"{why} {why.mend} What you entered is still here.")
        answer.headers["retry-after"] = str(seconds)
        return answer

    def _one_more_step(self) -> Response:
        """A form that came without any proof, from a vendor's page without a script: nobody's mistake, so a 200."""
        notice = f"A short wait keeps bots out. Please press the button after {self._work.wait} seconds."
        status = 422 if wants_json(self._request) else 200
        return self._again(status, "One more step", notice, waiting=True, put=dict.fromkeys(TRAPS, ""))

    def _reword(self) -> Response:
        """The sentence never stood there; our script shows the present one in its place, and puts its hash."""
        return self._again(
            422,
            "Please check again",
            "This is the text you agree to. It may have changed since you opened the form.",
            put={"wording": self._asked.wording},
            note=self._asked.note,
        )

    def _anew(self, why: str) -> Response:
        """The form as it is now, with what was typed. Our script cannot show it in place: it sends the visitor here."""
        if wants_json(self._request):
            return responses.problem(400, why, anew=True)
        notice = f"{why} Please check it and press the button."
        return self._form(400, heading="This form has changed", notice=notice)

    def _mend(self, problems: dict[Category, str]) -> Response:
        if wants_json(self._request):
            fields = {category.value: text for category, text in problems.items()}
            return responses.problem(422, "Please check the highlighted fields.", fields=fields)
        return self._form(422, problems=problems)

    def _again(self, status: int, heading: str, notice: str, *, waiting: bool = False, **changes: Any) -> Response:
        """The form once more. `told`: what our script changes in place: `put` into fields, `note` beside the button."""
        if wants_json(self._request):
            return responses.problem(status, notice, **changes)
        return self._form(status, heading=heading, notice=notice, waiting=waiting)

    def _form(
        self,
        status: int,
        *,
        heading: str = "",
        notice: str = "",
        problems: dict[Category, str] | None = None,
        waiting: bool = False,
    ) -> Response:
        return responses.form(
            self._here.snapshot,
            self._asked,
            status=status,
            heading=heading,
            notice=notice,
            typed={category.value: showable(text) for category, text in self._texts.items()},
            ticked=ticked(self._typed),
            masked=self._masked,
            problems=problems,
            ticket=self._ticket(status),
            back=self._back,
            waiting=waiting,
        )

    def _ticket(self, status: int) -> str:
        """The ticket that came, if its waiting still counts: nobody waits twice for a slip of the pen."""
        ticket = self._typed.get("ticket", "")
        return ticket if status != 409 and self._work.ticket_lives(ticket) else self._work.ticket()
