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
                Control("tables are made from the code’s own data map", "troth.policy.data_map:kept"),
                Control("the worker removes by that table what is over its time", "troth.policy.retention:sweep"),
                Control("each version is kept with its date and digest", "troth.policy.versions:publish"),
            ),
            proofs=(
                Proof(
                    "policy.page",
                    "The page was fetched as you fetch it and compared with the version that was published last.",
                    "A page that shows another version, or says to programs that it is another.",
                    misses="`policy.md` and the database changed together and published as usual: that is a new "
                    "version, with its date.",
                ),
                Proof(
                    "policy.words",
                    "Every sentence of the version in force was looked for in the page, word for word.",
                    "A page that says less, or something else, under the same version’s name.",
                    misses="A sentence added to the page beside the policy’s own text.",
                ),
                Proof(
                    "policy.versions",
                    "Every version’s digest was computed again, and compared with what earlier trials had seen.",
                    "An earlier version that was rewritten or taken away.",
                    misses="A version rewritten before any run had seen it; someone who also rewrites "
                    "`data/policy-seen`.",
                ),
                Proof(
                    "policy.marks",
                    "The page, and the one for the vendor’s own, was made with promises in every state, and as it is "
                    "after a day without trials; its marks were read.",
                    "A page that says “kept”, whatever was found.",
                    misses="A mark that is correct in the page’s text but hidden by a style; text beside a mark "
                    "that plays down the result; a public server that shows yesterday’s page after it "
                    "expired.",
                ),
                Proof(
                    "policy.tables",
                    "The tables were made again from the code and looked for in the page.",
                    "A table that says less than the program does.",
                    misses="An error in the data map itself about how long something is kept: it states the "
                    "periods in words.",
                ),
                Proof(
                    "policy.times",
                    "Of each thing that is kept for a time the oldest was looked up.",
                    "Something that stays longer than the policy says, because nothing removes it.",
                    misses="A copy in a place that the table of data does not know; something whose own date was"
                    " changed.",
                ),
            ),
            yourself="The page’s end names the version; /.well-known/privacy-promises.json says it to programs.",
        ),
        Promise(
            id="contact.basic",
            letter="C1",
            means="We keep only basic contact details: typed by yourself, or from a list that records your consent.",
            controls=(
                Control("a form’s fields are a closed list", "troth.front.http.form_parsing:parse"),
                Control("what may be asked for is a closed set", "troth.core.purpose:Category"),
            ),
            proofs=(
                Proof(
                    "contact.forms",
                    "Each form was fetched, fresh, given back after a slip, and for the vendor’s page, and its fields "
                    "compared with what it is set to ask for.",
                    "A field that was added to a form.",
                    misses="A form at a URL that the settings do not name; a script on the vendor’s page that "
                    "asks for more.",
                ),
                Proof(
                    "contact.refusals",
                    "Forms were sent with fields that nobody asked for, and with a field twice.",
                    "A form that takes more than it asks for.",
                    misses="A field that is accepted only under a name that this run did not choose: each run "
                    "picks one.",
                ),
                Proof(
                    "contact.filed",
                    "An invented visitor signed up, confirmed and wrote at this very site; what was filed was opened.",
                    "Something that is kept beyond what was typed, or in another’s place.",
                    misses="What is stored about people who came in another way: by import, or edited by an operator.",
                ),
                Proof(
                    "contact.traces",
                    "That visitor’s browser, the page before, a cookie and the address’s question were marked, and the "
                    "marks looked for in every file, table and log.",
                    "A visit that leaves a trace of who came, how and from where.",
                    misses="The vendor’s web server and its log; an address of this machine, which occurs everywhere.",
                ),
                Proof(
                    "contact.declared",
                    "Every field, kind of record and column of the program was compared with the data map.",
                    "Something that is kept and not declared.",
                    misses="Data in a file that no model and no entry describes; the searches cover files.",
                ),
            ),
            yourself="Look at the form’s source: it has the fields that you see, and three that keep robots out.",
        ),
        Promise(
            id="contact.purpose",
            letter="C2",
            means="Your details serve administration and identification, and nothing else.",
            controls=(
                Control("there are two purposes, and no setting makes a third", "troth.core.purpose:Purpose"),
                Control("each record is encrypted for one purpose", "troth.vault.records:Boxer"),
                Control("every opening is written in a chained ledger, first", "troth.vault.ledger:write"),
            ),
            proofs=(
                Proof(
                    "purpose.two",
                    "The purposes, and every reason to open a record, were compared with the list of those that there "
                    "may be.",
                    "A third purpose, or a reason that serves another one than it says.",
                    misses="A known reason that is stated for something else: the access log is the evidence, "
                    "and a person has to read it.",
                ),
                Proof(
                    "purpose.wrong",
                    "Every record of several invented people was asked for under the other purpose, in each way that "
                    "there is.",
                    "An opening for a purpose that the record does not serve.",
                    misses="Code that opens a record for its own purpose and uses the content for another.",
                ),
                Proof(
                    "purpose.ledger",
                    "An invented person was opened and looked for in each way that there is, with the ledger and "
                    "without; the ledger was read afterwards, and its chain followed.",
                    "An opening that leaves no trace, or a ledger that was changed.",
                    misses="A new way of opening records outside the vault (the next proof covers that); someone"
                    " who rewrites the whole chain and `keys/people/ledger-heads`.",
                ),
                Proof(
                    "purpose.keeper",
                    "The program’s own source was searched for other ways to a person’s key.",
                    "A line of code that opens somebody past the keeper, and so past the ledger.",
                    misses="Code that bypasses the vault without using its names or a person’s key as this "
                    "program writes them; code outside the package.",
                ),
            ),
            yourself="Ask us what we keep of you: the answer says when your details were opened, and what for.",
        ),
        Promise(
            id="contact.not-shared",
            letter="C3",
            means="Your details are given to nobody for a use of their own.",
            controls=(
                Control("the front can reach nobody and read nothing", "troth.supervisor.fences:fence"),
                Control("what leaves, leaves by declared doors", "troth.gate.doors:declared"),
                Control("what is not declared is refused, and noted", "troth.gate.tripwire:arm"),
                Control("each mail is looked through for others’ details", "troth.gate.leak_check:Leaks"),
                Control("what a mail may contain is decided by its type", "troth.gate.mail_types:ConfirmationMail"),
            ),
            proofs=(
                Proof(
                    "shared.readable",
                    "Details of invented people of many shapes were looked for in every file, table, free page and "
                    "backup, plain, encoded and hashed.",
                    "A copy that was forgotten, a table that was not encrypted, a leak that spares some.",
                    misses="Content that is encrypted, or compressed with anything but gzip; a keyed or "
                    "truncated hash; text that is split across two pages of the database; memory and "
                    "swap.",
                ),
                Proof(
                    "shared.logs",
                    "After an invented visitor had called, their details were looked for in the log of all processes, "
                    "and in what the program says while it files them.",
                    "A log line with a name.",
                    misses="A log that goes to a terminal or another program, as the result then says; what the "
                    "admin server logs while an operator works.",
                ),
                Proof(
                    "shared.mails",
                    "Mails of each type to invented people went through the mail door to a relay of our own on this "
                    "machine; envelope, headers and every part were taken apart.",
                    "A hidden recipient, another person’s details in any form, an address turned into a number.",
                    misses="Emails that the worker’s own loop changes before sending (its only line that sends "
                    "is merely counted); a type of email without a sample.",
                ),
                Proof(
                    "shared.held",
                    "Another invented person’s details were pasted into a mail, plain, encoded and hashed.",
                    "A mail door that does not look.",
                    misses="Parts of a detail, and keyed hashes; details of people who have not confirmed or "
                    "been replied to.",
                ),
                Proof(
                    "shared.pages",
                    "Every public page was fetched, and the answers to an invented visitor’s forms: their headers, "
                    "what they load, and where they lead.",
                    "A cookie, a picture or script from elsewhere, an address that carries what was typed.",
                    misses="A page that differs for other visitors; the vendor’s own pages.",
                ),
                Proof(
                    "shared.confined",
                    "A process behind the fence of the part that meets the internet tried to read, to write and to "
                    "reach somebody; and so did one behind those of the clerk and of the office.",
                    "A fence with a hole in it.",
                    misses="A hole in a place that it does not try; a public server that was started in another way.",
                ),
                Proof(
                    "shared.fences",
                    "The kernel was asked whether each process that serves is confined.",
                    "A process that was started without its fence.",
                    misses="How strict a sandbox is: the kernel reports only that there is one.",
                ),
                Proof(
                    "shared.wire",
                    "A process behind the tripwire tried to reach somebody who is not declared; those that serve were "
                    "asked whether they are behind it; and the filing of invented people was overheard.",
                    "A program that sends something, hashed or not, to a third party.",
                    misses="C libraries that make system calls of their own; code written to evade the tripwire."
                    " Refused attempts are shown and are not a breach.",
                ),
                Proof(
                    "shared.doors",
                    "Every destination in the program was compared with the settings, and looked for in this policy.",
                    "A new destination that nobody was told of.",
                    misses="What the mail company does with the emails.",
                ),
            ),
            yourself="Your browser’s developer tools show whom our pages talk to: nobody but this site.",
        ),
        Promise(
            id="visitors.aggregate",
            letter="V1",
            means="Visitor statistics are a broad picture of the audience, not about any one individual.",
            controls=(
                Control("a hit becomes sums where it comes in, in memory", "troth.audience.counting.counter:Counter"),
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
                    misses="Memory and swap during a visit; a keyed or truncated hash; the vendor’s web server "
                    "and its log; an IPv4 address as bytes; the address, if the run can’t choose one of "
                    "its own.",
                ),
                Proof(
                    "visits.spool",
                    "What the front handed over of that visitor’s hits was opened with the site’s own key.",
                    "A frame that says who, or that somebody came again; a name that one visitor alone brought.",
                    light=False,
                    misses="A mark hidden in the totals as a small number; what a compromised public server does"
                    " with real visitors only; with several public server processes, or if the run can’t "
                    "choose an address, whether an email address in a URL is masked (the result says so).",
                ),
                Proof(
                    "visits.rows",
                    f"That visitor looked at one page {LOOKS} times; the database’s rows and the log’s lines "
                    "were counted after the first and after the last, and SQLite’s own log was watched being cut.",
                    "A row, a line or a commit that stays, and so a moment, for each hit.",
                    light=False,
                    misses="Rows in a table that only other hits fill; a time stored in an existing row; log "
                    "lines, while other visitors come; what PostgreSQL itself keeps.",
                ),
                Proof(
                    "visits.tables",
                    "The database was asked which tables and columns it has.",
                    "A table of visitors, a column that tells them apart.",
                    misses="What a number in a declared column stands for.",
                ),
                Proof(
                    "visits.files",
                    "Every file in the site’s folder was held against the list of places where files are.",
                    "A key of the day, or a map of visits, kept in a file of its own.",
                    misses="The content of declared files; files outside the site’s folder; if each process has "
                    "its own user, the top of the folder.",
                ),
                Proof(
                    "visits.log",
                    "Every line of the log was held against the few forms that a front’s lines have.",
                    "Who was here, written down as a part of the program ends.",
                    misses="A visitor recorded other than as sixteen bytes in digits; a log that goes to a "
                    "terminal; anything before the newest 4 MiB.",
                ),
                Proof(
                    "visits.asked",
                    "Hits came with Global Privacy Control, and with the choice that is made at /privacy/choices.",
                    "Somebody who asked not to be counted, and was.",
                    light=False,
                    misses="A browser that sends neither, or blocks cookies of its own site; a visitor whose "
                    "script never ran.",
                ),
                Proof(
                    "visits.stored",
                    "The script that counts was read, and the answers to hits were looked at.",
                    "A cookie, a storage, an answer by which a browser is known again.",
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
                Control("what is counted, in what cells, is a closed list", "troth.audience.counting.cells:Dim"),
                Control("sums are added once, whatever dies when", "troth.audience.storage.fold:Tally"),
            ),
            proofs=(
                Proof(
                    "popular.counted",
                    "An invented visitor’s walk was put together by hand, cell by cell, and compared with what was "
                    "counted and with what the database gained, beside all figures.",
                    "Counts that are lost or added twice; a page, a source or a step that is not counted.",
                    light=False,
                    misses="Countries and events; a visit across midnight; page flow, while the site has no "
                    "known page; an error that affects real visitors only.",
                ),
                Proof(
                    "popular.shown",
                    "While the walk was in them, the office’s figures of today were compared with the database’s rows.",
                    "Figures that are not those that were counted.",
                    misses="A page in Admin that draws other figures than its queries return; months and years.",
                ),
            ),
            yourself="Look at a page with a new address: we see it in our figures once several visitors did.",
        ),
        Promise(
            id="cards.not-kept",
            letter="B2",
            means="A card number that is typed into a form is not kept.",
            controls=(Control("every field is searched before it is sealed", "troth.core.text.card_numbers:mask"),),
            proofs=(
                Proof(
                    "cards.masked",
                    "New card numbers, in several spellings, were typed into each field of each form.",
                    "A field that is not searched, an error page that repeats what was typed.",
                    misses="A number that is not a card number, or is written in words or in an image.",
                ),
                Proof(
                    "cards.filed",
                    "An invented visitor wrote a message with a card number in it; what was filed was opened.",
                    "A card number kept in a record, where it is encrypted and no search would find it.",
                    misses="A card number in something that an operator types.",
                ),
                Proof(
                    "cards.nowhere",
                    "More numbers were sent in every way that ends in an error; all of them were looked for in every "
                    "file, table and log afterwards.",
                    "A card number kept in a log or an error.",
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
        return list(json.loads(KILLED.read_text())["killed"][promise].values())
    except (FileNotFoundError, ValueError, KeyError, AttributeError):
        return []
