"""All promises that the code makes today, with what keeps each and how it is tried.

A promise may be published only while a breach of it is known to be seen: `killed.json`, beside this file, says which
mutants turned which promise red, and over which sources of proofs and mutants that was tried (`make mutants` writes
it). How a proof is run stands in `proofs.registry`. May touch: `killed.json`, reading.
"""

import json
from pathlib import Path

from troth.core import facts
from troth.policy.promise import Control, Promise, Proof, Registry

LOOKS = 20
"""How often the visitor whom a proof invents looks at one page."""

PROMISES = Registry(
    [
        Promise(
            id="policy.current",
            letter="P1",
            means="This is the policy in force, and every earlier version is kept.",
            controls=(
                Control("tables are generated from the code’s data map", "troth.policy.data_map:kept"),
                Control("the worker removes expired records by that table", "troth.policy.retention:sweep"),
                Control("each version is kept with its date and hash", "troth.policy.versions:publish"),
            ),
            proofs=(
                Proof(
                    "policy.page",
                    "The page was fetched like a visitor fetches it, and compared with the latest published version.",
                    "A page that shows another version, or names another one in its machine-readable form.",
                ),
                Proof(
                    "policy.words",
                    "Every sentence of the version in force was looked up in the page, word for word.",
                    "A page that omits or changes text under the same version number.",
                ),
                Proof(
                    "policy.versions",
                    "Every version’s hash was computed again, and compared with the results of earlier tests.",
                    "An earlier version that was rewritten or removed.",
                ),
                Proof(
                    "policy.marks",
                    "The page, and the fragment for embedding, were rendered with promises in every state, and as "
                    "they are after a day without tests; their marks were read.",
                    "A page that says “kept” whatever the result was.",
                ),
                Proof(
                    "policy.tables",
                    "The tables were generated again from the code and looked up in the page.",
                    "A table that states less than the program does.",
                ),
                Proof(
                    "policy.times",
                    "The oldest record of each kind with a retention period was looked up.",
                    "Something that is kept longer than the policy says, because nothing removes it.",
                ),
            ),
            yourself="The end of the page names the version; /.well-known/privacy-promises.json has it in "
            "machine-readable form.",
        ),
        Promise(
            id="contact.basic",
            letter="C1",
            means="We keep only basic contact details: entered by you, or imported from a list that records your "
            "consent.",
            controls=(
                Control("a form’s fields are a closed list", "troth.front.http.form_parsing:parse"),
                Control("the details that forms may ask for are a closed set", "troth.core.purpose:Category"),
            ),
            proofs=(
                Proof(
                    "contact.forms",
                    "Each form was fetched, empty, after an invalid entry, and for embedding, and its fields were "
                    "compared with the settings.",
                    "A field that was added to a form.",
                ),
                Proof(
                    "contact.refusals",
                    "Forms were submitted with unknown fields, and with a field twice.",
                    "A form that accepts more than it asks for.",
                ),
                Proof(
                    "contact.filed",
                    "An invented visitor signed up, confirmed and wrote a message on this site; the stored records "
                    "were opened.",
                    "Something stored beyond what was entered, or in another person’s record.",
                ),
                Proof(
                    "contact.traces",
                    "That visitor’s browser, referrer, cookie and query string carried markers, which were searched "
                    "for in every file, table and log.",
                    "A visit that leaves a trace of who came, how and from where.",
                ),
                Proof(
                    "contact.declared",
                    "Every field, kind of record and column of the program was compared with the data map.",
                    "Something that is stored and not declared.",
                ),
            ),
            yourself="View the form’s source: it has the fields that you see, and three against bots.",
        ),
        Promise(
            id="contact.purpose",
            letter="C2",
            means="Your details serve administration and identification, and nothing else.",
            controls=(
                Control("there are two purposes, and no setting makes a third", "troth.core.purpose:Purpose"),
                Control("each record is encrypted for one purpose", "troth.vault.records:Boxer"),
                Control("every access is first written to a hash-chained log", "troth.vault.ledger:write"),
            ),
            proofs=(
                Proof(
                    "purpose.two",
                    "The purposes, and every reason to open a record, were compared with the list of allowed ones.",
                    "A third purpose, or a reason that belongs to another purpose.",
                ),
                Proof(
                    "purpose.wrong",
                    "Every record of several invented people was requested under the other purpose, in every "
                    "available way.",
                    "Access for a purpose that the record does not serve.",
                ),
                Proof(
                    "purpose.ledger",
                    "An invented person was opened and searched for in every available way, with and without the "
                    "access log; afterwards the log was read and its hash chain verified.",
                    "Access that is not logged, or an access log that was changed.",
                ),
                Proof(
                    "purpose.keeper",
                    "The program’s source code was searched for other ways to a person’s key.",
                    "Code that decrypts a person’s data without the access log.",
                ),
            ),
            yourself="Request your data: the answer lists when your details were accessed, and for what purpose.",
        ),
        Promise(
            id="contact.not-shared",
            letter="C3",
            means="Your details are given to nobody for their own use.",
            controls=(
                Control(
                    "the public server is sandboxed: no connections, no stored data", "troth.supervisor.fences:fence"
                ),
                Control("outgoing connections go to declared destinations only", "troth.gate.doors:declared"),
                Control("undeclared connections are refused and logged", "troth.gate.tripwire:arm"),
                Control("each email is checked for other people’s details", "troth.gate.leak_check:Leaks"),
                Control("an email’s type determines what it may contain", "troth.gate.mail_types:ConfirmationMail"),
            ),
            proofs=(
                Proof(
                    "shared.readable",
                    "Many kinds of details of invented people were searched for in every file, table, free database "
                    "page and backup: plain, encoded and hashed.",
                    "A forgotten copy, an unencrypted table, a leak that affects only some people.",
                ),
                Proof(
                    "shared.logs",
                    "After an invented visitor’s visit, their details were searched for in the logs of all "
                    "processes, and in the program’s output while it stores them.",
                    "A log line with a name.",
                ),
                Proof(
                    "shared.mails",
                    "Emails of each type to invented people were sent to a test mail server on this machine; "
                    "envelope, headers and every part were examined.",
                    "A hidden recipient, another person’s details in any form, an address encoded as a number.",
                ),
                Proof(
                    "shared.held",
                    "Another invented person’s details were put into an email: plain, encoded and hashed.",
                    "Outgoing email that is not checked.",
                ),
                Proof(
                    "shared.pages",
                    "Every public page, and the responses to an invented visitor’s forms, were fetched; their "
                    "headers, resources and links were examined.",
                    "A cookie, an image or script from another host, a link that contains what was entered.",
                ),
                Proof(
                    "shared.confined",
                    "A process in the public server’s sandbox tried to read, to write and to connect; so did "
                    "processes in the sandboxes of intake and admin server.",
                    "A sandbox with a gap.",
                ),
                Proof(
                    "shared.fences",
                    "The kernel was asked whether each running process is sandboxed.",
                    "A process that was started without its sandbox.",
                ),
                Proof(
                    "shared.wire",
                    "A test process tried to connect to an undeclared destination; the running processes were "
                    "checked for the block on such connections; and network calls were recorded while invented "
                    "people were stored.",
                    "Code that sends data, hashed or not, to a third party.",
                ),
                Proof(
                    "shared.doors",
                    "Every destination in the program was compared with the settings, and looked up in this policy.",
                    "A new destination that is not disclosed.",
                ),
            ),
            yourself="Your browser’s developer tools show that our pages connect to this site only.",
        ),
        Promise(
            id="visitors.aggregate",
            letter="V1",
            means="Visitor statistics are a broad picture of the audience, not about any one individual.",
            controls=(
                Control(
                    "a page view is added to totals in memory, where it arrives",
                    "troth.audience.counting.counter:Counter",
                ),
                Control("the key that tells visits apart dies at midnight", "troth.supervisor.day_keys:Days"),
                Control("who is here now is known in memory only", "troth.audience.counting.visits:Visits"),
                Control(
                    "a name from outside is written once several brought it",
                    "troth.audience.counting.name_threshold:Known",
                ),
                Control("what could name a person is masked", "troth.audience.counting.page_names:mask"),
                Control("who asks is not counted", "troth.front.views.choices:told"),
            ),
            proofs=(
                Proof(
                    "visits.nowhere",
                    "An invented visitor walked through the site; agent, address, language, e-mail address, page "
                    "before and query were looked for in every file, table, log and backup.",
                    "A log of visits, an agent or an address kept as a name, an e-mail address in a page’s address.",
                    light=False,
                ),
                Proof(
                    "visits.spool",
                    "What the front handed over of that visitor’s hits was opened with the site’s own key.",
                    "A frame that says who, or that somebody came again; a name that one visitor alone brought.",
                    light=False,
                ),
                Proof(
                    "visits.rows",
                    f"That visitor looked at one page {LOOKS} times; the database’s rows and the log’s lines "
                    "were counted after the first and after the last, and SQLite’s own log was watched being cut.",
                    "A row, a line or a commit that stays, and so a moment, for each hit.",
                    light=False,
                ),
                Proof(
                    "visits.tables",
                    "The database was asked which tables and columns it has.",
                    "A table of visitors, or a column that distinguishes them.",
                ),
                Proof(
                    "visits.files",
                    "Every file in the site’s folder was compared with the list of expected files.",
                    "A day’s key, or a list of visits, stored in a file of its own.",
                ),
                Proof(
                    "visits.log",
                    "Every line of the log was compared with the few forms that the public server writes.",
                    "Visitors written to the log when a process ends.",
                ),
                Proof(
                    "visits.asked",
                    "Page views were sent with Global Privacy Control, and with the opt-out from /privacy/choices.",
                    "Somebody who opted out and was counted.",
                    light=False,
                ),
                Proof(
                    "visits.stored",
                    "The counting script was read, and the responses to its requests were examined.",
                    "A cookie, stored data or a response by which a browser could be recognised.",
                ),
            ),
            yourself="Your browser’s developer tools show what our script sends, and that it stores nothing. "
            f"{facts.CHOICE_KEPT} {facts.CHOICE_UNDONE}",
        ),
        Promise(
            id="visitors.popular",
            letter="V2",
            means="They show which areas of the site are popular, and help to refine the products.",
            controls=(
                Control("what is counted, in what cells, is a closed list", "troth.audience.counting.cells:Dim"),
                Control("totals are added exactly once, even after a crash", "troth.audience.storage.fold:Tally"),
            ),
            proofs=(
                Proof(
                    "popular.counted",
                    "An invented visitor’s walk was put together by hand, cell by cell, and compared with what was "
                    "counted and with what the database gained, beside all figures.",
                    "Counts that are lost or added twice; a page, source or step that is not counted.",
                    light=False,
                ),
                Proof(
                    "popular.shown",
                    "While the walk was in them, the office’s figures of today were compared with the database’s rows.",
                    "Displayed figures that differ from the counts.",
                ),
            ),
            yourself="Visit a page with a new address: it appears in our statistics once several visitors have.",
        ),
        Promise(
            id="cards.not-kept",
            letter="B2",
            means="A card number that is typed into a form is not kept.",
            controls=(Control("every field is checked before it is encrypted", "troth.core.text.card_numbers:mask"),),
            proofs=(
                Proof(
                    "cards.masked",
                    "New card numbers, in several spellings, were entered into each field of each form.",
                    "A field that is not checked, or an error page that repeats what was entered.",
                ),
                Proof(
                    "cards.filed",
                    "An invented visitor sent a message with a card number; the stored record was opened.",
                    "A card number in an encrypted record, where no search would find it.",
                ),
                Proof(
                    "cards.nowhere",
                    "More numbers were sent in every way that ends in an error; afterwards all of them were searched "
                    "for in every file, table and log.",
                    "A card number kept in a log or an error.",
                ),
            ),
            yourself="Enter a test card number, such as 4111 1111 1111 1111, into the name field with an invalid "
            "email address.",
        ),
    ]
)


# -- which of them a breach is known to be seen of --------------------------------------------------------------------

KILLED = Path(__file__).with_name("killed.json")


def breaches_seen(promise: str) -> list[str]:
    """Breaches of this promise that were made on purpose, on a copy of the program, and that its proofs saw: in words.
    Without one it cannot be published."""
    try:
        return list(json.loads(KILLED.read_text())["killed"][promise].values())
    except (FileNotFoundError, ValueError, KeyError, AttributeError):
        return []
