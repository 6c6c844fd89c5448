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
                ),
                Proof(
                    "policy.words",
                    "Every sentence of the version in force was looked for in the page, word for word.",
                    "A page that says less, or something else, under the same version’s name.",
                ),
                Proof(
                    "policy.versions",
                    "Every version’s digest was computed again, and compared with what earlier trials had seen.",
                    "An earlier version that was rewritten or taken away.",
                ),
                Proof(
                    "policy.marks",
                    "The page, and the one for the vendor’s own, was made with promises in every state, and as it is "
                    "after a day without trials; its marks were read.",
                    "A page that says “kept”, whatever was found.",
                ),
                Proof(
                    "policy.tables",
                    "The tables were made again from the code and looked for in the page.",
                    "A table that says less than the program does.",
                ),
                Proof(
                    "policy.times",
                    "Of each thing that is kept for a time the oldest was looked up.",
                    "Something that stays longer than the policy says, because nothing removes it.",
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
                ),
                Proof(
                    "contact.refusals",
                    "Forms were sent with fields that nobody asked for, and with a field twice.",
                    "A form that takes more than it asks for.",
                ),
                Proof(
                    "contact.filed",
                    "An invented visitor signed up, confirmed and wrote at this very site; what was filed was opened.",
                    "Something that is kept beyond what was typed, or in another’s place.",
                ),
                Proof(
                    "contact.traces",
                    "That visitor’s browser, the page before, a cookie and the address’s question were marked, and the "
                    "marks looked for in every file, table and log.",
                    "A visit that leaves a trace of who came, how and from where.",
                ),
                Proof(
                    "contact.declared",
                    "Every field, kind of record and column of the program was compared with the data map.",
                    "Something that is kept and not declared.",
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
                ),
                Proof(
                    "purpose.wrong",
                    "Every record of several invented people was asked for under the other purpose, in each way that "
                    "there is.",
                    "An opening for a purpose that the record does not serve.",
                ),
                Proof(
                    "purpose.ledger",
                    "An invented person was opened and looked for in each way that there is, with the ledger and "
                    "without; the ledger was read afterwards, and its chain followed.",
                    "An opening that leaves no trace, or a ledger that was changed.",
                ),
                Proof(
                    "purpose.keeper",
                    "The program’s own source was searched for other ways to a person’s key.",
                    "A line of code that opens somebody past the keeper, and so past the ledger.",
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
                Control("what a mail may contain is decided by its type", "troth.newsletter.mails:ConfirmationMail"),
            ),
            proofs=(
                Proof(
                    "shared.readable",
                    "Details of invented people of many shapes were looked for in every file, table, free page and "
                    "backup, plain, encoded and hashed.",
                    "A copy that was forgotten, a table that was not encrypted, a leak that spares some.",
                ),
                Proof(
                    "shared.logs",
                    "After an invented visitor had called, their details were looked for in the log of all processes, "
                    "and in what the program says while it files them.",
                    "A log line with a name.",
                ),
                Proof(
                    "shared.mails",
                    "Mails of each type to invented people went through the mail door to a relay of our own on this "
                    "machine; envelope, headers and every part were taken apart.",
                    "A hidden recipient, another person’s details in any form, an address turned into a number.",
                ),
                Proof(
                    "shared.held",
                    "Another invented person’s details were pasted into a mail, plain, encoded and hashed.",
                    "A mail door that does not look.",
                ),
                Proof(
                    "shared.pages",
                    "Every public page was fetched, and the answers to an invented visitor’s forms: their headers, "
                    "what they load, and where they lead.",
                    "A cookie, a picture or script from elsewhere, an address that carries what was typed.",
                ),
                Proof(
                    "shared.confined",
                    "A process behind the fence of the part that meets the internet tried to read, to write and to "
                    "reach somebody; and so did one behind those of the clerk and of the office.",
                    "A fence with a hole in it.",
                ),
                Proof(
                    "shared.fences",
                    "The kernel was asked whether each process that serves is confined.",
                    "A process that was started without its fence.",
                ),
                Proof(
                    "shared.wire",
                    "A process behind the tripwire tried to reach somebody who is not declared; those that serve were "
                    "asked whether they are behind it; and the filing of invented people was overheard.",
                    "A program that sends something, hashed or not, to a third party.",
                ),
                Proof(
                    "shared.doors",
                    "Every destination in the program was compared with the settings, and looked for in this policy.",
                    "A new destination that nobody was told of.",
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
                    "A table of visitors, a column that tells them apart.",
                ),
                Proof(
                    "visits.files",
                    "Every file in the site’s folder was held against the list of places where files are.",
                    "A key of the day, or a map of visits, kept in a file of its own.",
                ),
                Proof(
                    "visits.log",
                    "Every line of the log was held against the few forms that a front’s lines have.",
                    "Who was here, written down as a part of the program ends.",
                ),
                Proof(
                    "visits.asked",
                    "Hits came with Global Privacy Control, and with the choice that is made at /privacy/choices.",
                    "Somebody who asked not to be counted, and was.",
                    light=False,
                ),
                Proof(
                    "visits.stored",
                    "The script that counts was read, and the answers to hits were looked at.",
                    "A cookie, a storage, an answer by which a browser is known again.",
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
                ),
                Proof(
                    "popular.shown",
                    "While the walk was in them, the office’s figures of today were compared with the database’s rows.",
                    "Figures that are not those that were counted.",
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
                ),
                Proof(
                    "cards.filed",
                    "An invented visitor wrote a message with a card number in it; what was filed was opened.",
                    "A card number kept in a record, where it is encrypted and no search would find it.",
                ),
                Proof(
                    "cards.nowhere",
                    "More numbers were sent in every way that ends in an error; all of them were looked for in every "
                    "file, table and log afterwards.",
                    "A card number kept in a log or an error.",
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
