"""All promises that the code makes today, with what keeps each and how it is tried.

A promise may be published only while a breach of it is known to be detected: `killed.json`, written by `make mutants`,
says which mutants broke which promise, over which sources. `proofs.registry` says how a proof is run.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from troth.core import facts
from troth.policy.promise import Control, Promise, Proof, Registry

LOOKS = 20
"""How often a test visitor views one page."""

PROMISES = Registry(
    [
        Promise(
            id="policy.current",
            letter="P1",
            means="This is the policy in force, and every earlier version is kept.",
            controls=(
                Control("the tables are generated from the code’s own data map", "troth.policy.data_map:kept"),
                Control("the worker deletes what that table says has expired", "troth.policy.retention:sweep"),
                Control("each version is kept with its date and hash", "troth.policy.versions:publish"),
            ),
            proofs=(
                Proof(
                    "policy.page",
                    "The page was fetched as your browser fetches it and compared with the version published last.",
                    "A page, or its JSON document, of another version.",
                    misses="`policy.md` and the database changed together and published as usual: that is a new "
                    "version, with its date.",
                ),
                Proof(
                    "policy.words",
                    "Every sentence of the current version was looked up on the page, word for word.",
                    "A page that says less, or something else, under the same version number.",
                    misses="A sentence added to the page beside the policy’s own text.",
                ),
                Proof(
                    "policy.versions",
                    "Every version’s hash was computed again and compared with what earlier runs had seen.",
                    "An earlier version that was rewritten or removed.",
                    misses="A version rewritten before any run had seen it; someone who also rewrites "
                    "`data/policy-seen`.",
                ),
                Proof(
                    "policy.marks",
                    "The page and the embedded page were generated with promises in every state, and as they are after"
                    " a day without a run; their marks were read.",
                    "A page that says “kept” whatever the result.",
                    misses="A mark that is correct in the page’s text but hidden by a style; text beside a mark "
                    "that plays down the result; a public server that shows yesterday’s page after it "
                    "expired.",
                ),
                Proof(
                    "policy.tables",
                    "The tables were generated again from the code and compared with the page.",
                    "A table that says less than the program does.",
                    misses="An error in the data map itself about how long something is kept: it states the "
                    "periods in words.",
                ),
                Proof(
                    "policy.times",
                    "For everything with a retention period, the oldest entry was looked up.",
                    "Something kept longer than the policy says, because nothing deletes it.",
                    misses="A copy in a place that the table of data does not know; something whose own date was"
                    " changed.",
                ),
            ),
            yourself="The end of the page shows the version; so does /.well-known/privacy-promises.json.",
        ),
        Promise(
            id="contact.basic",
            letter="C1",
            means="We keep only basic contact details: typed by yourself, or from a list that records your consent.",
            controls=(
                Control("a form’s fields are a closed list", "troth.front.http.form_parsing:parse"),
                Control("the details that can be asked for are a closed list", "troth.core.purpose:Category"),
            ),
            proofs=(
                Proof(
                    "contact.forms",
                    "Each form was fetched fresh, with errors, and as embedded in the vendor’s page, and its fields "
                    "were compared with the settings.",
                    "A field added to a form.",
                    misses="A form at a URL that the settings do not name; a script on the vendor’s page that "
                    "asks for more.",
                ),
                Proof(
                    "contact.refusals",
                    "Forms were submitted with extra fields, and with a field twice.",
                    "A form that accepts more than it asks for.",
                    misses="A field that is accepted only under a name that this run did not choose: each run "
                    "picks one.",
                ),
                Proof(
                    "contact.filed",
                    "A test visitor signed up, confirmed and wrote a message on this site; what was stored was "
                    "examined.",
                    "Something stored that was not typed, or that replaces what was.",
                    misses="What is stored about people who came in another way: by import, or edited by an operator.",
                ),
                Proof(
                    "contact.traces",
                    "The test visitor’s user agent, referrer, cookie and query string were marked, and the marks were "
                    "searched for in every file, table and log.",
                    "A visit that leaves a trace of who came, how, and from where.",
                    misses="The vendor’s web server and its log; an address of this machine, which occurs everywhere.",
                ),
                Proof(
                    "contact.declared",
                    "Every field, kind of record and database column was compared with the data map.",
                    "Something stored but not declared.",
                    misses="Data in a file that no model and no entry describes; the searches cover files.",
                ),
            ),
            yourself="Look at the form’s source: it has the fields that you see, and three that keep bots out.",
        ),
        Promise(
            id="contact.purpose",
            letter="C2",
            means="Your details serve administration and identification, and nothing else.",
            controls=(
                Control("there are two purposes, and no setting adds a third", "troth.core.purpose:Purpose"),
                Control("each record is encrypted for one purpose", "troth.vault.records:Boxer"),
                Control("every access is first written to a chained log", "troth.vault.ledger:write"),
            ),
            proofs=(
                Proof(
                    "purpose.two",
                    "The purposes, and every reason to open a record, were compared with the list of allowed ones.",
                    "A third purpose, or a reason used for another purpose than declared.",
                    misses="A known reason that is stated for something else: the access log is the evidence, "
                    "and a person has to read it.",
                ),
                Proof(
                    "purpose.wrong",
                    "Every record of several test people was requested for the other purpose, in every possible way.",
                    "A record that opens for a purpose it does not serve.",
                    misses="Code that opens a record for its own purpose and uses the content for another.",
                ),
                Proof(
                    "purpose.ledger",
                    "A test person’s data was opened and searched for in every way, with the access log working and "
                    "not working; then the log was read and its chain verified.",
                    "An access that is not logged, or an access log that was changed.",
                    misses="A new way of opening records outside the vault (the next proof covers that); someone"
                    " who rewrites the whole chain and `keys/people/ledger-heads`.",
                ),
                Proof(
                    "purpose.keeper",
                    "The program’s source was searched for other ways to a person’s key.",
                    "Code that opens data outside the vault, and so without logging it.",
                    misses="Code that bypasses the vault without using its names or a person’s key as this "
                    "program writes them; code outside the package.",
                ),
                Proof(
                    "purpose.left",
                    "A test visitor opened the links of a newsletter without pressing a button, then unsubscribed with "
                    "one click; and a campaign was written, and an email sent by API, to test people who had left, "
                    "paused, not confirmed or not chosen its topic.",
                    "An unsubscribe that is not obeyed, even while a campaign is being sent; a link that changes "
                    "something when it is only opened.",
                    misses="An email that the mail server had already accepted; the list of recipients before it is "
                    "looked at again for each email.",
                ),
                Proof(
                    "purpose.erased",
                    "A test person with an invented invoice was deleted. Then every key left was tried on their old "
                    "records, and every reason on the invoice; it was searched for by their details and by its "
                    "number, and destroyed as on its last day.",
                    "A key that survives a deletion; what the law requires, used for anything else or kept longer.",
                    misses="Copies of a key outside the key store: its backups, old sectors of a disk.",
                ),
            ),
            yourself="Ask us for your data: the answer says when your details were accessed, and why.",
        ),
        Promise(
            id="contact.not-shared",
            letter="C3",
            means="Your details are given to nobody for a use of their own.",
            controls=(
                Control(
                    "the public server can’t open connections or read stored data", "troth.supervisor.apply_fence:fence"
                ),
                Control("data leaves only for declared destinations", "troth.gate.doors:declared"),
                Control("undeclared connections are refused and recorded", "troth.gate.tripwire:arm"),
                Control("each email is searched for other people’s details", "troth.gate.leak_check:Leaks"),
                Control("what an email may contain is decided by its type", "troth.newsletter.mails:ConfirmationMail"),
            ),
            proofs=(
                Proof(
                    "shared.readable",
                    "The details of test people of many kinds were searched for in every file, table, free page and "
                    "backup: plain, encoded and hashed.",
                    "A forgotten copy, an unencrypted table, a leak that affects only some people.",
                    misses="Content that is encrypted, or compressed with anything but gzip; a keyed or "
                    "truncated hash; text that is split across two pages of the database; memory and "
                    "swap.",
                ),
                Proof(
                    "shared.logs",
                    "After a test visit, the visitor’s details were searched for in the log of all processes and in "
                    "the program’s output, also while it sent a campaign to test people.",
                    "A log line with personal details.",
                    misses="A log that goes to a terminal or another program, as the result then says; what the "
                    "admin server logs while an operator works; what the worker’s own loop logs of an email it sends.",
                ),
                Proof(
                    "shared.mails",
                    "Emails of each type to test people were sent to a test mail server on this machine; envelope, "
                    "headers and every part were examined.",
                    "A hidden recipient, another person’s details in any form, a hashed address; in a campaign, a "
                    "pixel or any remote content, and a link that differs from one recipient to the next.",
                    misses="Emails that the worker’s own loop changes before sending (its only line that sends "
                    "is merely counted); a type of email without a sample.",
                ),
                Proof(
                    "shared.held",
                    "Another test person’s details were put into emails (plain, encoded and hashed), and into the text "
                    "and the merge fields of a campaign.",
                    "Emails that are sent unchecked.",
                    misses="Parts of a detail, and keyed hashes; details of people who have not confirmed or "
                    "been replied to.",
                ),
                Proof(
                    "shared.pages",
                    "Every public page was fetched, and the responses to a test visitor’s forms; their headers, what "
                    "they load and where they lead were examined.",
                    "A cookie, an image or script from another site, a URL that contains what was typed.",
                    misses="A page that differs for other visitors; the vendor’s own pages.",
                ),
                Proof(
                    "shared.confined",
                    "A process in the public server’s sandbox tried to read, write and connect; so did processes in "
                    "the sandboxes of intake and admin server.",
                    "A hole in a sandbox.",
                    misses="A hole in a place that it does not try; a public server that was started in another way.",
                ),
                Proof(
                    "shared.fences",
                    "The kernel was asked whether each running process is sandboxed.",
                    "A process that runs without its sandbox.",
                    misses="How strict a sandbox is: the kernel reports only that there is one.",
                ),
                Proof(
                    "shared.wire",
                    "A process behind the tripwire tried undeclared connections; the running processes were checked "
                    "for theirs; and connections were monitored while test people were stored.",
                    "Code that sends something, hashed or not, to a third party.",
                    misses="C libraries that make system calls of their own; code written to evade the tripwire."
                    " Refused attempts are shown and are not a breach.",
                ),
                Proof(
                    "shared.doors",
                    "Every destination in the program was compared with the settings and looked up in this policy.",
                    "A new destination that is not disclosed.",
                    misses="What the mail company does with the emails.",
                ),
            ),
            yourself="Your browser’s developer tools show that our pages contact only this site.",
        ),
        Promise(
            id="visitors.aggregate",
            letter="V1",
            means="Visitor statistics are a broad picture of the audience, not about any one individual.",
            controls=(
                Control("a hit becomes totals in memory, on arrival", "troth.audience.counting.counter:Counter"),
                Control("the key that distinguishes visits is discarded at midnight", "troth.supervisor.day_keys:Days"),
                Control("current visitors are known in memory only", "troth.audience.counting.visits:Visits"),
                Control(
                    "a name from outside is stored only once several visitors brought it",
                    "troth.audience.counting.name_threshold:NameThreshold",
                ),
                Control("what could name a person is masked", "troth.audience.counting.page_names:mask"),
                Control("visitors who opt out are not counted", "troth.front.views.choices:told"),
            ),
            proofs=(
                Proof(
                    "visits.nowhere",
                    "A test visitor visited the site; user agent, address, language, email address, referrer and query"
                    " were searched for in every file, table, log and backup.",
                    "A log of visits, a stored user agent or address, an email address in a stored URL.",
                    light=False,
                    misses="Memory and swap during a visit; a keyed or truncated hash; the vendor’s web server "
                    "and its log; an IPv4 address as bytes; the address, if the run can’t choose one of "
                    "its own.",
                ),
                Proof(
                    "visits.spool",
                    "What the public server passed on about the test visitor’s hits was decrypted with the site’s own "
                    "key.",
                    "Data that identifies a visitor or shows that they came back; a name that only one visitor "
                    "brought.",
                    light=False,
                    misses="A mark hidden in the totals as a small number; what a compromised public server does"
                    " with real visitors only; with several public server processes, or if the run can’t "
                    "choose an address, whether an email address in a URL is masked (the result says so).",
                ),
                Proof(
                    "visits.rows",
                    f"The test visitor viewed one page {LOOKS} times. The database’s rows and the log’s lines were "
                    "counted after the first and the last view, and SQLite’s write-ahead log was watched being cut.",
                    "A row, a line or a commit kept for each hit, which would reveal its time.",
                    light=False,
                    misses="Rows in a table that only other hits fill; a time stored in an existing row; log "
                    "lines, while other visitors come; what PostgreSQL itself keeps.",
                ),
                Proof(
                    "visits.tables",
                    "The database was queried for its tables and columns.",
                    "A table of visitors, a column that distinguishes them.",
                    misses="What a number in a declared column stands for.",
                ),
                Proof(
                    "visits.files",
                    "Every file in the site’s folder was compared with the list of declared places.",
                    "A daily key or a map of visits in a file of its own.",
                    misses="The content of declared files; files outside the site’s folder; if each process has "
                    "its own user, the top of the folder.",
                ),
                Proof(
                    "visits.log",
                    "Every line of the log was compared with the few forms that the public server’s lines have.",
                    "A record of visitors, written when a process ends.",
                    misses="A visitor recorded other than as sixteen bytes in digits; a log that goes to a "
                    "terminal; anything before the newest 4 MiB.",
                ),
                Proof(
                    "visits.asked",
                    "Hits were sent with Global Privacy Control, and with the opt-out made at /privacy/choices.",
                    "A visitor who opted out and was counted.",
                    light=False,
                    misses="A browser that sends neither, or blocks cookies of its own site; a visitor whose "
                    "script never ran.",
                ),
                Proof(
                    "visits.stored",
                    "The counting script and the responses to hits were examined.",
                    "A cookie, browser storage, or a response that could identify a returning browser.",
                    misses="A page of the vendor’s own that sets a cookie; what a browser stores by itself.",
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
                Control("what is counted is a closed list", "troth.audience.counting.cells:Dim"),
                Control("totals are added exactly once, even after a crash", "troth.audience.storage.fold:CellFold"),
            ),
            proofs=(
                Proof(
                    "popular.counted",
                    "The expected counts of a test visit were worked out separately and compared with what was counted"
                    " and stored, apart from all real figures.",
                    "Counts that are lost or added twice; a page, a source or a page change that is not counted.",
                    light=False,
                    misses="Countries and events; a visit across midnight; page flow, while the site has no "
                    "known page; an error that affects real visitors only.",
                ),
                Proof(
                    "popular.shown",
                    "With the test visit included, Admin’s figures for today were compared with the database.",
                    "Figures that differ from what was counted.",
                    misses="A page in Admin that draws other figures than its queries return; months and years.",
                ),
            ),
            yourself="Visit a page with a new URL: it appears in our figures once several visitors have done so.",
        ),
        Promise(
            id="cards.encrypted",
            letter="B1",
            means="Your card number and details are encrypted as they cross the internet.",
            section="shop",
            controls=(
                Control("links to pay and forms refuse plain HTTP", "troth.front.request_context:require_private"),
                Control("buyers are sent to the card company’s https pages only", "troth.shop.published:Shop"),
                Control("connections beyond this machine are encrypted", "troth.gate.doors:Door"),
                Control("the card company’s certificate is verified", "troth.gate.card_company.transport:DoorClient"),
                Control("emails carry order numbers, not details", "troth.shop.mails:OrderMail"),
            ),
            proofs=(
                Proof(
                    "encrypted.pages",
                    "Every link to pay, every form, and the address for the card company’s notices were requested "
                    "without encryption, as from the internet; and browsers’ instructions to use https (HSTS) were "
                    "read.",
                    "A page that works over plain HTTP.",
                    misses="The vendor’s web server, which answers plain HTTP before Troth does; the versions of TLS "
                    "that it offers; visitors’ own networks.",
                ),
                Proof(
                    "encrypted.links",
                    "Every link to pay was followed to the address it leads to, and the forms for the vendor’s pages "
                    "were read.",
                    "A link to a page that is not encrypted, or is not the card company’s.",
                    misses="What the card company’s page does; links that the vendor wrote by hand; where the card "
                    "company sends buyers back to.",
                ),
                Proof(
                    "encrypted.doors",
                    "Every destination was compared with the rule, and the client for the card company was led to a "
                    "test server on this machine, with a valid certificate, another server’s, and an unknown "
                    "authority’s.",
                    "An unencrypted connection, a certificate accepted unseen, an old version of TLS.",
                    misses="The card company’s own side; a certificate that was revoked; the authorities that this "
                    "machine trusts.",
                ),
                Proof(
                    "encrypted.mails",
                    "The shop’s emails to several test buyers were sent to a test mail server on this machine and "
                    "read.",
                    "An email with a name, an address or something of the card.",
                    misses="The address that an email goes to; product and amount, which it states; parts of a detail, "
                    "and keyed hashes.",
                ),
            ),
            yourself="Open a page to buy with http:// at the start of its address: it is refused, or becomes https://.",
        ),
        Promise(
            id="cards.direct",
            letter="B3",
            means="Your card number goes directly to the card company.",
            section="shop",
            controls=(
                Control("the page to buy is plain: links, and nothing to type into", "troth.front.views.shop:show"),
                Control("each link leads to the card company’s page, unchanged", "troth.front.views.shop:go"),
                Control("a form’s fields are a closed list, without a card", "troth.front.http.form_parsing:parse"),
                Control("code for the vendor’s pages is a link only", "troth.shop.buttons:product_button"),
            ),
            proofs=(
                Proof(
                    "direct.fields",
                    "Every public page, every form (fresh, embedded, returned with errors) and the code for the "
                    "vendor’s pages were searched for a field for a card.",
                    "A card field on a page of ours.",
                    misses="A field that is named like none, in another language or by a picture; the vendor’s own "
                    "pages.",
                ),
                Proof(
                    "direct.pages",
                    "The pages on the way to pay and the code for the vendor’s pages were searched for scripts, forms, "
                    "fields and frames, and for where they lead.",
                    "A script that reads along, a form or frame between the buyer and the card company.",
                    misses="The vendor’s own pages before the link, and their scripts; the card company’s page.",
                ),
                Proof(
                    "direct.redirect",
                    "Every link to pay was followed, plainly and with a marked query, referrer, cookie and user agent; "
                    "the address was compared with the one that the card company gave.",
                    "A page of ours in between, another address, something of the visitor appended to it.",
                    misses="A link that treats only some visitors otherwise; more than 60 prices at once; an address "
                    "that was already wrong in the database, at the card company’s own host.",
                ),
                Proof(
                    "direct.forms",
                    "Every form’s target was read, and a card number was sent to each form, and to the pages to pay, "
                    "under the names that card fields have.",
                    "A form that sends elsewhere, an address of ours that takes card numbers.",
                    misses="An address that no page names; a field that is accepted only under a name that this run "
                    "did not choose.",
                ),
            ),
            yourself="Press a button to buy: the address bar shows the card company’s own page before you type a "
            "number.",
        ),
        Promise(
            id="cards.not-kept",
            letter="B2",
            means="A card number that is typed into a form is not kept.",
            controls=(Control("every field is searched before it is encrypted", "troth.core.text.card_numbers:mask"),),
            proofs=(
                Proof(
                    "cards.masked",
                    "New card numbers of all brands, written in many ways, were typed into each field of each form.",
                    "A field that is not searched, an error page that repeats the number.",
                    misses="A number that is not a card number, or is written in words or in an image.",
                ),
                Proof(
                    "cards.filed",
                    "A test visitor wrote a message with card numbers of all brands, written in many ways; what was "
                    "stored was examined.",
                    "A card number kept in an encrypted record, where no search would find it.",
                    misses="A card number in something that an operator types.",
                ),
                Proof(
                    "cards.nowhere",
                    "More numbers were sent in URLs, headers, forms and notices that end in an error; then all were "
                    "searched for in every file, table, log and backup.",
                    "A card number kept in a log or an error message.",
                    misses="The processes’ memory, the vendor’s web server, a number that was split up.",
                ),
            ),
            yourself="Type a test card number, such as 4111 1111 1111 1111, into the name field with a wrong address.",
        ),
    ]
)


# -- which of them a breach is known to be seen of --------------------------------------------------------------------

KILLED = Path(__file__).with_name("killed.json")


def breaches_seen(promise: str) -> list[str]:
    """Breaches of this promise that were made on purpose, on a copy of the program, and that its proofs saw: in words.
    Without one it cannot be published."""
    try:
        return list(_killed(KILLED)["killed"][promise].values())
    except (KeyError, AttributeError, TypeError):
        return []


@cache
def _killed(path: Path) -> Any:
    """Read it once: a process that has become another user may not be able to."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
