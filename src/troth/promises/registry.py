"""All promises that the code makes today, with what keeps each and how it is tried. Touches nothing."""

from troth.ground.promise import Control, Promise, Proof, Registry
from troth.promises import proofs_cards, proofs_contact, proofs_policy

PROMISES = Registry(
    [
        Promise(
            id="policy.current",
            letter="P1",
            means="This is the policy in force, and every earlier version is kept.",
            controls=(
                Control("tables are made from the code’s own data map", "troth.promises.datamap:kept"),
                Control("each version is kept with its date and digest", "troth.promises.publishing:publish"),
            ),
            proofs=(
                Proof(
                    "policy.page",
                    "The page was fetched as you fetch it and compared with the text that lies on the machine.",
                    "A policy that was edited on the disk, or a page that shows another one.",
                    proofs_policy.page_is_the_policy,
                ),
                Proof(
                    "policy.versions",
                    "Every version’s digest was computed again.",
                    "An earlier version that was rewritten or taken away.",
                    proofs_policy.versions_are_whole,
                ),
                Proof(
                    "policy.tables",
                    "The tables were made again from the code and looked for in the page.",
                    "A table that says less than the program does.",
                    proofs_policy.tables_are_the_codes,
                ),
            ),
            yourself="The page’s end names the version; /.well-known/privacy-promises.json says it to programs.",
        ),
        Promise(
            id="contact.basic",
            letter="C1",
            means="We keep only basic contact details that you typed yourself.",
            controls=(
                Control("a form’s fields are a closed list", "troth.front.forms:parse"),
                Control("what may be asked for is a closed set", "troth.ground.purpose:Category"),
            ),
            proofs=(
                Proof(
                    "contact.forms",
                    "Each form was fetched, and its fields compared with what it is set to ask for.",
                    "A field that was added to a form.",
                    proofs_contact.forms_ask_what_is_set,
                ),
                Proof(
                    "contact.refusals",
                    "Forms were sent with fields that nobody asked for, and with a field twice.",
                    "A form that takes more than it asks for.",
                    proofs_contact.other_fields_are_refused,
                ),
                Proof(
                    "contact.declared",
                    "Every field, kind of record and column of the program was compared with the data map.",
                    "Something that is kept and not declared.",
                    proofs_contact.everything_kept_is_declared,
                ),
            ),
            yourself="Look at the form’s source: it has the fields that you see, and three that keep robots out.",
        ),
        Promise(
            id="contact.purpose",
            letter="C2",
            means="Your details serve administration and identification, and nothing else.",
            controls=(
                Control("there are two purposes, and no setting makes a third", "troth.ground.purpose:Purpose"),
                Control("each record is encrypted for one purpose", "troth.vault.records:Boxer"),
                Control("every opening is written in a chained ledger, first", "troth.vault.ledger:write"),
            ),
            proofs=(
                Proof(
                    "purpose.wrong",
                    "Records of an invented person were asked for under the other purpose.",
                    "An opening for a purpose that the record does not serve.",
                    proofs_contact.another_purpose_opens_nothing,
                ),
                Proof(
                    "purpose.ledger",
                    "An invented person was opened, and the ledger read afterwards; its chain was followed.",
                    "An opening that leaves no trace, or a ledger that was changed.",
                    proofs_contact.every_opening_is_written,
                ),
            ),
            yourself="Ask us what we keep of you: the answer says when your details were opened, and what for.",
        ),
        Promise(
            id="contact.not-shared",
            letter="C3",
            means="Your details are given to nobody for a use of their own.",
            controls=(
                Control("the front can reach nobody and read nothing", "troth.launch.fences:fence"),
                Control("what leaves, leaves by declared doors", "troth.gate.doors:declared"),
                Control("what a mail may contain is decided by its type", "troth.gate.mailtypes:ConfirmationMail"),
            ),
            proofs=(
                Proof(
                    "shared.readable",
                    "Details of invented people were looked for in every file, log and free page, plain, encoded and "
                    "hashed.",
                    "A log line with a name, a copy that was forgotten, a table that was not encrypted.",
                    proofs_contact.nothing_readable_lies_about,
                ),
                Proof(
                    "shared.confined",
                    "A process behind the fence of the part that meets the internet tried to read, to write and to "
                    "reach somebody.",
                    "A fence with a hole in it.",
                    proofs_contact.front_is_confined,
                ),
                Proof(
                    "shared.fences",
                    "The kernel was asked whether each process that serves is confined.",
                    "A process that was started without its fence.",
                    proofs_contact.fences_are_up,
                ),
                Proof(
                    "shared.doors",
                    "Every destination in the program was looked for in this policy.",
                    "A new destination that nobody was told of.",
                    proofs_contact.doors_are_those_of_the_policy,
                ),
            ),
            yourself="Your browser’s developer tools show whom our pages talk to: nobody but this site.",
        ),
        Promise(
            id="cards.not-kept",
            letter="B2",
            means="A card number that is typed into a form is not kept.",
            controls=(Control("every field is searched before it is sealed", "troth.ground.cardnumbers:mask"),),
            proofs=(
                Proof(
                    "cards.masked",
                    "New card numbers, in several spellings, were typed into each field of each form.",
                    "A field that is not searched, an error page that repeats what was typed.",
                    proofs_cards.forms_mask_them,
                ),
                Proof(
                    "cards.nowhere",
                    "These numbers were looked for in every file of the site afterwards.",
                    "A card number kept in a log, an error or a record.",
                    proofs_cards.none_lies_about,
                ),
            ),
            yourself="Type a test card number, such as 4111 1111 1111 1111, into the name field with a wrong address.",
        ),
    ]
)
