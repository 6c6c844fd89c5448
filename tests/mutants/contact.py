"""Breaches of C1 and C2: more is kept than was typed; details serve another purpose or are used unlogged."""

import sqlite3
from contextlib import closing

from tests.mutants.breach import Edit, Mutant, OnSite, edit, proofs


def _cut_ledger(site: OnSite) -> None:
    """Cut the ledger after a run has seen its rows; the next run writes others in their place."""
    site.prove()
    with closing(sqlite3.connect(site.root / "data" / "troth.sqlite3", isolation_level=None, timeout=30)) as database:
        database.execute("BEGIN IMMEDIATE")
        (last,) = database.execute("SELECT max(number) FROM vault_ledgerrow").fetchone()
        database.execute("DELETE FROM vault_ledgerrow WHERE number > ?", [last - 5])
        (link,) = database.execute("SELECT link FROM vault_ledgerrow WHERE number = ?", [last - 5]).fetchone()
        database.execute("UPDATE vault_ledgerhead SET number = ?, link = ?", [last - 5, link])
        database.execute("COMMIT")


BASIC = (
    Mutant(
        "form-asks-more",
        "The newsletter form also asks for a birthday.",
        proofs("contact.forms"),
        edit("front/templates/form.html", "{{ parts.honeypot(", '<input name="birthday">\n{{ parts.honeypot('),
    ),
    Mutant(
        "embedded-form-asks-more",
        "Only the form embedded in the vendor's own page has a hidden field for a script to fill in.",
        proofs("contact.forms"),
        edit(
            "front/templates/embed.html", "{{ parts.honeypot(", '<input type="hidden" id="screen">\n{{ parts.honeypot('
        ),
    ),
    Mutant(
        "form-takes-anything",
        "A form accepts fields that it does not ask for, as a script on the vendor's page could send them.",
        proofs("contact.refusals"),
        edit("front/http/form_parsing.py", "if name not in allowed:", "if not name:"),
        may=proofs("direct.forms"),
    ),
    Mutant(
        "company-is-guessed",
        "People who enter no company get one guessed from their email address.",
        proofs("contact.filed"),
        (
            Edit(
                "newsletter/services.py", "kind, Details.of(signup.entry))", "kind, _guess(Details.of(signup.entry)))"
            ),
            Edit(
                "newsletter/services.py",
                "class _SignUpBatch:",
                "def _guess(details):\n"
                "    from msgspec.structs import replace\n"
                "    from troth.core.personal import Company\n"
                '    guess = details.company or Company(details.email.reveal().partition("@")[2])\n'
                "    return replace(details, company=guess)\n\n\n"
                "class _SignUpBatch:",
            ),
        ),
    ),
    Mutant(
        "visits-are-logged",
        "The public server logs each request: its path, the browser and the referring page.",
        proofs("contact.traces"),
        edit(
            "front/app.py",
            '        path: str = scope["path"]\n        _strip(scope, snapshot)\n',
            '        path: str = scope["path"]\n        import sys\n'
            '        print("GET", path, scope["query_string"], scope["headers"], file=sys.stderr, flush=True)\n'
            "        _strip(scope, snapshot)\n",
        ),
        may=proofs("cards.nowhere", "shared.logs", "shared.readable"),
    ),
    Mutant(
        "entry-has-a-new-field",
        "A sign-up records the page that the visitor came from.",
        proofs("contact.declared"),
        edit(
            "newsletter/entry.py",
            "    wording: bytes\n",
            "    came_from: str | None = None\n    wording: bytes\n",
        ),
        may=proofs(
            "policy.page", "policy.words", "policy.marks", "policy.tables", "shared.doors"
        ),  # such a policy is not published
    ),
)

PURPOSE = (
    Mutant(
        "keeper-opens-for-any-purpose",
        "The vault no longer checks that the reason serves the purpose that a record was stored for.",
        proofs("purpose.wrong"),
        (
            Edit(
                "vault/keeper.py",
                "if any(KINDS[kind][1] is not reason.purpose for kind in kinds):",
                "if not kinds:",
            ),
            Edit(
                "vault/keeper.py",
                "return self.boxer.open(key, purpose, row.person_id,",
                "return self.boxer.open(key, Purpose(row.purpose), row.person_id,",
            ),
        ),
    ),
    Mutant(
        "one-key-for-all-purposes",
        "Records are encrypted under the person's key alone, whatever the purpose.",
        proofs("purpose.wrong"),
        (
            Edit("vault/records.py", '"troth record v1\\0" + purpose.value.encode()', '"troth record v1\\0"'),
            Edit("vault/records.py", "self._site.bytes, bytes([purpose.code]), person", "self._site.bytes, person"),
        ),
    ),
    Mutant(
        "third-purpose",
        "There is a third purpose: marketing.",
        proofs("purpose.two"),
        (
            Edit(
                "core/purpose.py",
                '    IDENTIFICATION = "identification"\n',
                '    IDENTIFICATION = "identification"\n    MARKETING = "marketing"\n',
            ),
            Edit(
                "core/purpose.py",
                "Purpose.IDENTIFICATION: 2}",
                "Purpose.IDENTIFICATION: 2, Purpose.MARKETING: 3}",
            ),
        ),
        may=proofs("visits.files"),  # it gets an index's key of its own
    ),
    Mutant(
        "reason-to-advertise",
        "People's records can be opened to choose whom to show an advertisement.",
        proofs("purpose.two"),
        edit(
            "core/purpose.py",
            '    SHOW_PERSON = "show_person"\n',
            '    CHOOSE_ADVERTISEMENT = "choose_advertisement"\n    SHOW_PERSON = "show_person"\n',
        ),
    ),
    Mutant(
        "consent-serves-administration",
        "Consent is stored so that it opens for any purpose.",
        proofs("purpose.two"),
        edit(
            "vault/records.py",
            "CONSENT: (Consent, Purpose.IDENTIFICATION)",
            "CONSENT: (Consent, Purpose.ADMINISTRATION)",
        ),
        may=proofs(
            "contact.declared",
            "policy.page",  # such a policy is not published
            "policy.words",
            "policy.tables",
            "policy.marks",
            "purpose.left",  # nobody who unsubscribes can be filed
            "shared.doors",
            "shared.pages",
            "purpose.wrong",
            "contact.filed",
            "shared.mails",
            "contact.traces",
            "shared.logs",
            "cards.filed",
            "purpose.ledger",
        ),
    ),
    Mutant(
        "opening-without-a-trace",
        "Records opened by ID are not written to the access log.",
        proofs("purpose.ledger"),
        edit(
            "vault/keeper.py",
            "        ledger.write(reason, actor, sorted({row.person_id for row in rows}))\n",
            "",
        ),
    ),
    Mutant(
        "ledger-is-written-afterwards",
        "People's records are opened first and logged only if that succeeded.",
        proofs("purpose.ledger"),
        (
            Edit(
                "vault/keeper.py",
                "        self._may(reason, [kind])\n        ledger.write(reason, actor, person_ids)\n",
                "        self._may(reason, [kind])\n",
            ),
            Edit(
                "vault/keeper.py",
                "        return opened\n\n    def open_by_id",
                "        ledger.write(reason, actor, person_ids)\n        return opened\n\n    def open_by_id",
            ),
        ),
    ),
    Mutant(
        "search-without-a-trace",
        "An operator's search for a person is not logged.",
        proofs("purpose.ledger"),
        edit("vault/keeper.py", "        ledger.write(Reason.FIND_PERSON, actor, matches)\n", ""),
    ),
    Mutant(
        "filing-without-a-trace",
        "The worker stores sign-ups without logging it.",
        proofs("purpose.ledger"),
        edit("newsletter/services.py", "        ledger.write(Reason.FILE_SUBMISSION, WORKER, ids)\n", ""),
    ),
    Mutant(
        "ledger-cut-and-written-again",
        "Rows are cut off the end of the access log and replaced by others, so that its chain is intact.",
        proofs("purpose.ledger"),
        on_site=_cut_ledger,
    ),
    Mutant(
        "opened-past-the-keeper",
        "A newsletter statistic opens people's records with their keys, bypassing the vault and the access log.",
        proofs("purpose.keeper"),
        edit(
            "office/today.py",
            "\n\n\ndef today(",
            "\n\n\ndef _by_domain(row):\n"
            "    from troth.vault.keeper import keeper\n"
            "    vault = keeper()\n"
            "    key = vault.store.key(row.person.slot, row.person_id)\n"
            "    return vault.boxer.open(key, row.purpose, row.person_id, row.kind, row.id, row.box)\n\n\ndef today(",
        ),
    ),
    Mutant(
        "leave-not-obeyed-while-sending",
        "Who unsubscribes while a campaign is being sent gets it all the same.",
        proofs("purpose.left"),
        edit(
            "newsletter/campaigns/mails.py",
            "(person__in=people, state=Subscription.State.CONFIRMED)",
            "(person__in=people)",
        ),
    ),
    Mutant(
        "program-mails-who-left",
        "A program can send email to who unsubscribed or never confirmed.",
        proofs("purpose.left"),
        edit(
            "newsletter/transactional/recipients.py",
            "(person__in=people, state=Subscription.State.CONFIRMED)",
            "(person__in=people)",
        ),
    ),
    Mutant(
        "ordered-mail-outlives-leaving",
        "An email that a program ordered is sent although its recipient unsubscribed before it left.",
        proofs("purpose.left"),
        edit(
            "newsletter/transactional/mails.py",
            "    known = recipients.known([order.person_id for order in ordered.values()])\n",
            "    known = {order.person_id for order in ordered.values()}\n",
        ),
    ),
    Mutant(
        "pause-not-obeyed",
        "Who paused their emails gets campaigns all the same.",
        proofs("purpose.left"),
        edit(
            "newsletter/campaigns/mails.py",
            "    rows = rows.filter(Q(paused_until=None) | Q(paused_until__lte=clock.now()))\n",
            "    rows = rows.filter(Q(paused_until=None) | Q(paused_until__gte=clock.now()))\n",
        ),
    ),
    Mutant(
        "unsubscribe-is-not-obeyed",
        "Who unsubscribes is thanked, and stays on the list.",
        proofs("purpose.left"),
        edit(
            "newsletter/services.py",
            "        changed = act is Act.UNSUBSCRIBE and leave(subject, link_use)\n",
            "        changed = act is Act.UNSUBSCRIBE and subject is None\n",
        ),
    ),
    Mutant(
        "unsubscribe-by-opening-a-link",
        "The link to unsubscribe does so when it is only opened, such as by a virus scanner.",
        proofs("purpose.left"),
        edit(
            "front/views/links.py",
            "        verified(request, act)\n        return responses.link(visit(request).snapshot, template)\n",
            "        text, _ = verified(request, act)\n"
            "        if act is Act.UNSUBSCRIBE:\n"
            "            await pressed(request, LinkUsed(act=act, link=text), text)\n"
            "        return responses.link(visit(request).snapshot, template)\n",
        ),
    ),
    Mutant(
        "pause-by-opening-a-link",
        "The link to the preferences pauses the emails when it is only opened.",
        proofs("purpose.left"),
        edit(
            "front/views/preferences.py",
            "    return _page(request, text, link.topics, saved=False)\n",
            "    await pressed(request, PreferencesSet(text, 0, 0, pause=3), None)\n"
            "    return _page(request, text, link.topics, saved=False)\n",
        ),
    ),
)

ERASED = (
    Mutant(
        "erasure-leaves-the-first-key",
        "Deleting a person deletes their rows, and leaves their key in the key store.",
        proofs("purpose.erased"),
        edit(
            "vault/keeper.py",
            "        self.store.erase(slots)\n        self.index.forget(",
            "        self.index.forget(",
        ),
    ),
    Mutant(
        "second-key-opens-contact-records",
        "The key under which an invoice is kept is a copy of the person's own, so that a deletion leaves it.",
        proofs("purpose.erased"),
        edit(
            "vault/legal_holds.py",
            "        row.slot = self._store.allot_hold(row.id, until).slot\n",
            "        row.slot = self._store.allot_hold(row.id, until).slot\n"
            "        from troth.vault import key_store\n"
            "        own = self._store.key(Person.with_canaries.get(id=person).slot, person)\n"
            "        state = self._store._raw(row.slot)[:4]\n"
            "        key_store._write_at(self._store._fd, key_store._slot(state, row.id, own), 64 * (1 + row.slot))\n",
        ),
    ),
    Mutant(
        "second-key-outlives-its-day",
        "What the law requires is kept for a year after its last day.",
        proofs("purpose.erased"),
        edit("vault/legal_holds.py", "if held.until < day}", "if held.until < date(day.year - 1, day.month, 1)}"),
    ),
    Mutant(
        "law-record-opens-for-anything",
        "What the law requires of deleted people can be opened for any administrative reason.",
        proofs("purpose.erased"),
        edit(
            "vault/legal_holds.py",
            "if reason.purpose is not duty.purpose or reason not in allowed:",
            "if reason.purpose is not duty.purpose or not allowed:",
        ),
    ),
    Mutant(
        "erased-person-is-found-by-their-invoice",
        "Deleted people can still be searched for by the details in their invoices.",
        proofs("purpose.erased"),
        edit(
            "vault/legal_holds.py",
            "        self._index.add([(self._index.number_digest(content.number), hold.slot)])\n",
            "        self._index.add([(self._index.number_digest(content.number), hold.slot)])\n"
            "        self._index.add((digest, hold.slot) for digest in self._index.digests(content.named))\n",
        ),
    ),
)

BREACHES = {"contact.basic": BASIC, "contact.purpose": (*PURPOSE, *ERASED)}
