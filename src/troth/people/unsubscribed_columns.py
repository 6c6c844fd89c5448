"""Recognises people who unsubscribed in other programs' files, by columns and words.

It has a table of column names from the programs' documentation and export code (`_COLUMNS` names them), and a grammar
of such names for other programs. A column's meaning decides how its cells are read (`gone`). If a name or cell is
unclear, the import stops and asks (`Unclear`), rather than import somebody who unsubscribed. Touches nothing.

Weak: it does not recognise names in other languages or words; the report lists every column that was not read.
"""

import itertools
import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from troth.people.programs import bare_name


class Meaning(StrEnum):
    """What a column says of whether somebody is on the list. The values are the words of `--map`."""

    LEFT = "left"
    """That they left or are shut out, or when: a date or a yes is gone, nothing or a no is not."""
    OPTED_IN = "opted_in"
    """That they want the mail: a no is gone, and so is nothing."""
    STATE = "state"
    """A word for where they stand. Nothing there is no subscriber (Constant Contact's "no permissions set")."""
    CONFIRMED = "confirmed"
    """That they confirmed, or when: a no is gone; nothing says nothing."""
    TRACE = "trace"
    """Something that only is there once they left: a reason, a campaign, an address."""
    HINT = "hint"
    """A word that mostly speaks of something else; one that says gone counts."""
    STRAY = "stray"
    """Any other column that nobody knows: a word that is used of mailings alone and says gone counts (`strays`)."""
    LABEL = "label"
    """Tags or groups: the same, and a single word that says gone."""
    UNCLEAR = "unclear"
    """Looks as if it told who is gone, and nobody knows how: whatever is in it is asked about."""


UNKNOWN = frozenset({Meaning.STRAY, Meaning.LABEL})
"""What a column means whose name says nothing of leaving."""


class Unclear(Exception):
    """A cell that may say that somebody is gone, or may not. Carries no value."""


# -- columns ----------------------------------------------------------------------------------------------------------

_COLUMNS: tuple[tuple[str, Meaning | None, str], ...] = (
    # Program or its documentation; what the columns mean (None: nothing about leaving); their names.
    ("Troth: people/csv_export.py", Meaning.LEFT, "left"),
    ("Troth: people/csv_export.py", Meaning.STATE, "state"),
    ("Mailchimp: help/about-audience-exports", Meaning.LEFT, "UNSUB_TIME CLEAN_TIME"),
    ("Mailchimp: the same", Meaning.TRACE, "UNSUB_CAMPAIGN_TITLE UNSUB_CAMPAIGN_ID UNSUB_REASON UNSUB_REASON_OTHER"),
    ("Mailchimp: the same", Meaning.TRACE, "CLEAN_CAMPAIGN_TITLE CLEAN_CAMPAIGN_ID"),
    ("Mailchimp: the same; stars from 0 to 5", None, "MEMBER_RATING"),
    ("Mailchimp, Mailtrain: an address beside a date", None, "OPTIN_IP CONFIRM_IP opt_in_ip"),
    ("Ghost: members export (core/server/services/members)", Meaning.OPTED_IN, "subscribed_to_emails"),
    ("Ghost: the same", Meaning.LEFT, "deleted_at"),
    ("Substack: subscriber export", Meaning.LEFT, "email_disabled"),
    ("Substack: what is paid, not what is mailed", None, "active_subscription expiry plan"),
    ("Shopify: help, customer CSV", Meaning.OPTED_IN, "Accepts_Email_Marketing Accepts_Marketing"),
    ("listmonk: cmd/subscribers.go", Meaning.STATE, "status"),
    ("Mautic: LeadBundle, do not contact", Meaning.LEFT, "dnc doNotContact dnc_email"),
    ("Brevo: API v3, contacts", Meaning.LEFT, "EMAIL_BLACKLISTED emailBlacklisted BLACKLIST listUnsubscribed"),
    ("Brevo: attributes of every account", Meaning.CONFIRMED, "DOUBLE_OPT-IN DOUBLEOPTIN"),
    ("Klaviyo: profiles export", Meaning.STATE, "Email_Marketing_Consent"),
    ("Klaviyo: the same", Meaning.LEFT, "Email_Suppressions Suppressions"),
    ("HubSpot: default contact properties", Meaning.LEFT, "hs_email_optout Unsubscribed_from_all_email"),
    ("HubSpot: the same", Meaning.LEFT, "hs_email_quarantined hs_email_bad_address Invalid_email_address"),
    ("HubSpot: the same; a count", Meaning.UNCLEAR, "hs_email_bounce Marketing_emails_bounced"),
    ("Salesforce: Contact, Lead", Meaning.LEFT, "HasOptedOutOfEmail Email_Opt_Out IsEmailBounced EmailBouncedDate"),
    ("Salesforce: other channels", None, "HasOptedOutOfFax DoNotCall Fax_Opt_Out Do_Not_Call"),
    ("Zoho CRM: Contacts", Meaning.LEFT, "Email_Opt_Out Unsubscribed_Mode Unsubscribed_Time"),
    ("Campaign Monitor: subscriber export", Meaning.LEFT, "Unsubscribe_Date Date_Unsubscribed"),
    ("Campaign Monitor: the right to track, not to mail", None, "ConsentToTrack Consent_to_Track Consent_To_Send_SMS"),
    ("Constant Contact: contact export", Meaning.STATE, "Email_status Email_permission_status"),
    ("Constant Contact: Lead Gen & CRM", Meaning.LEFT, "Is_Unsubscribed"),
    ("AWeber: subscriber export", Meaning.LEFT, "Stop_Time Date_Unsubscribed Unsubscribed_At"),
    ("AWeber: the same", Meaning.TRACE, "Stop_Status Unsubscribe_Method"),
    ("MailerLite: subscriber fields", Meaning.LEFT, "unsubscribed_at date_unsubscribe"),
    ("MailerLite, rasa.io: a date or a flag", Meaning.CONFIRMED, "opted_in_at date_confirmed"),
    ("Buttondown: openapi enums.json, SubscriberType", Meaning.STATE, "subscriber_type"),
    ("Buttondown: the same", Meaning.HINT, "type"),
    ("MailPoet: export, list and global status", Meaning.STATE, "List_status Global_status"),
    ("phpList: lists/admin/export.php", Meaning.LEFT, "blacklisted disabled is_blacklisted blacklist_date"),
    ("phpList: the same; a count", Meaning.UNCLEAR, "bouncecount bounce_count"),
    ("phpList: the same", Meaning.CONFIRMED, "confirmed"),
    (
        "phpList: the same; how, not whether",
        None,
        "Did_this_subscriber_manually_confirm Send_this_subscriber_HTML_emails",
    ),
    ("Mailman: mailman members, REST API", Meaning.HINT, "delivery membership"),
    ("Mailgun, SendGrid: bounces and invalid addresses", Meaning.UNCLEAR, "error reason"),
    ("Kickbox, ZeroBounce and the like: what a check said", Meaning.HINT, "result verification deliverability"),
    ("CleverReach: API v3, receivers; times, 0 for never", Meaning.LEFT, "deactivated bounced"),
    ("CleverReach: the same", Meaning.CONFIRMED, "activated"),
    ("Mailjet: contact and subscription properties", Meaning.LEFT, "IsExcludedFromCampaigns IsUnsubscribed IsUnsub"),
    ("SendGrid, Postmark: suppression exports", Meaning.TRACE, "SuppressionReason Suppression_Reason"),
    ("Sendy: subscriber export", Meaning.LEFT, "unsubscribed bounced complaint bounce_soft"),
    ("Moosend, EmailOctopus, Kit, beehiiv, Drip: a word", Meaning.STATE, "Subscription_Status Subscriber_status"),
    (
        "Wix: contacts export",
        Meaning.STATE,
        "Email_subscriber_status Email_subscription_status Email_deliverability_status",
    ),
    ("Omnisend: contacts export", Meaning.STATE, "emailStatus Email_channel_status"),
    ("WooCommerce, AutomateWoo", Meaning.OPTED_IN, "marketing_opt_in opted_in"),
    ("many: one box on a form", Meaning.OPTED_IN, "newsletter newsletters marketing mailing mailings"),
    (
        "many: labels",
        Meaning.LABEL,
        "tag tags label labels group groups list lists list_name segment segments audience",
    ),
    ("many: the same, asked", Meaning.OPTED_IN, "mailing_list mailing_lists"),
    ("many: when something ended, and nobody says what", Meaning.UNCLEAR, "ended ended_at end_date exit_date"),
    ("many: who may sign in", Meaning.HINT, "account_status access_status login_status"),
)


def _without_marks(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


_KNOWN = {bare_name(name): meaning for _, meaning, names in _COLUMNS for name in names.split()}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")

_OTHER_CHANNELS = frozenset(
    "sms mms rcs whatsapp telegram viber messenger phone telephone call calls push fax postal telemarketing".split()
)
_OUR_CHANNEL = frozenset("email emails mail mails newsletter newsletters".split())
_NO_ANSWER = frozenset("link url uri href token hash key page code secret text wording version".split())
"""Words by which a column holds a tool for leaving, or a text about it, and says nothing of anybody."""
_TRACES = frozenset(
    "reason reasons campaign title ip comment comments feedback source by note method category other referrer".split()
)
_ENDS = frozenset("end ended ends ending expired expires expiry expiration until fin ende".split())
"""A subscription's end: paid for, or read no longer? Nobody but the operator knows."""
_MOMENTS = frozenset("at on date time datetime timestamp since day when datum am le fecha".split())
_COUNTS = frozenset("count counts counter number num total times score".split())
_ABILITY = frozenset("can may allow allowed allows not non never enable able".split())
_NEGATED = re.compile(
    r"do?no?tn?(?=e?mail|cont|send|mark)|donot|no[tn]a?(?:subscri|opt|confirm|active|accept|verif|mailable)|neversubscri"
)
_GONE_STEMS = re.compile(
    r"unsub|opt(?:ed|s|ing)?out|blacklist|blocklist|denylist|suppress|bounc|complain|donot(?!track)|unengag"
    r"|dont(?:e?mail|contact|send|market)|stop(?:e?mail|send|contact)|ineligible|onhold|nolonger|undeliver"
    r"|cancel|quarantin|withdraw|withdrew|revok|eras(?:ed|ure)|anonymi|deactivat"
    r"|noe?mail|nonewsletter|nomarketing|exclude|inactive|unconfirm|unverif|unactivat|pending|awaiting"
    r"|no[tn](?:a)?(?:subscri|optedin|optin|confirm|active|accept|verif|mailable)|neversubscri"
    # German
    r"|abgemeld|abmeld|ausgetrag|widerruf|widersp(?:ruch|roch)|gesperrt|werbesperr|werbeverbot|geblockt|blockiert|inaktiv"
    r"|geloscht|gekundigt|kundigung|unzustellbar|austritt|nichtkontakt|keine?(?:werbung|e?mail|newsletter|kontakt)"
    # French
    r"|desabonn|desinscri|listenoire|resili|(?:nepas|pasde|sans)(?:contact|e?mail|newsletter|sollicit|demarch)"
    # Spanish, Italian, Portuguese
    r"|desuscri|anulad|rebotad|no(?:contact|envi|acept)|disiscri|annullat|cancellat|descadastr|desinscrev"
    # Dutch, Swedish, Danish, Norwegian
    r"|uitgeschreven|uitschrijv|afgemeld|opgezegd|avregistr|avprenum|avanmal|avslutad|afmeld|frameld|avmeld"
    # Polish, Czech, Russian, Japanese, Chinese, Korean
    r"|wypisan|rezygnac|odhlas|отпис|отказ|заблокир|配信停止|配信解除|購読解除|購読停止|退会|解約|退订|退訂|取消订阅|取消訂閱|수신거부|구독취소|해지"
)
_GONE_WORDS = frozenset(
    "deleted deletion delete disabled cleaned clean blocked banned spam junk abuse left removed removal archived "
    "invalid dnc dnd dne suspended stopped forgotten objected objection baja spammer quit resigned dead departed "
    "terminated trashed locked paused snoozed muted supprime efface refus refuse opposition rebond sperre "
    "sperrung".split()
)
_IN_STEMS = re.compile(
    r"accept|subscri|optin|optedin|optsin|receive(?!d)|gdpr|dsgvo|rgpd|abonn|iscritt|inscrit|suscri|emailmarketing"
    r"|newsletter|mailinglist|marketable|contactable|contactby|(?:can|may)(?:e?mail|contact)|sendme|signupfor|(?:email|product)updates?$|notifications?$"
    r"|anmelde?status|angemeldet|einwillig|zugestimmt|zustimmung|erwunscht|werbung|consen[ts]|acepta|accetta|aceita|akzept"
    r"|infolettre|boletin|toestemm|nieuwsbrief|nyhetsbrev|nyhedsbrev|samtyck|samtykke|zgoda|souhlas|подпис|соглас|購読|订阅|訂閱|구독"
)
_IN_WORDS = frozenset(
    "consent consented permission permissions active enabled mailable emailable wants allowed permitted agreed agrees "
    "aktiv actif activo attivo".split()
)
_CONFIRMED_WORDS = frozenset(
    "confirmed confirm verified validated activated bestatigt confirme double valid deliverable zustellbar".split()
)
_STATE_WORDS = frozenset(
    "status state statut stato estado zustand etat stan stav статус ステータス 状态 狀態 상태".split()
)
_STATE_OF = frozenset(
    "email mail subscription subscriber subscribed marketing list global member membership contact newsletter delivery "
    "deliverability permission consent opt in optin double user profile mailing recipient person current the of "
    "confirmation confirmed verification validation communication communications preference channel e anmelde "
    "abo".split()
)
_ABOUT_ELSE = frozenset(
    "id uuid name names ip source form group groups list lists method language referrer tag tags last first avg "
    "average "
    "open opens click clicks rate rating plan tier price amount order orders tracking track address title".split()
)


def meaning_of(header: str) -> Meaning | None:
    """Return what a column of this name says about unsubscribing; None if it is about something else."""
    bare = bare_name(header)
    if bare in _KNOWN:
        return _KNOWN[bare]
    words = frozenset(bare_name(word) for word in _WORD.findall(_without_marks(header)))
    if words & _NO_ANSWER or "directmail" in bare or (words & _OTHER_CHANNELS and not words & _OUR_CHANNEL):
        return None
    if _GONE_STEMS.search(bare) or words & _GONE_WORDS:
        return _gone_meaning(bare, words)
    return _in_meaning(bare, words)


def _gone_meaning(bare: str, words: frozenset[str]) -> Meaning:
    if words & _TRACES:
        return Meaning.TRACE
    ambiguous = words & _COUNTS or (words & _ABILITY and not _NEGATED.search(bare))
    return Meaning.UNCLEAR if ambiguous else Meaning.LEFT


def _in_meaning(bare: str, words: frozenset[str]) -> Meaning:
    if words & _STATE_WORDS:
        return Meaning.STATE if words - _STATE_WORDS <= _STATE_OF else Meaning.STRAY
    if words & (_ABOUT_ELSE | _COUNTS):
        return Meaning.STRAY
    speaks = bool(_IN_STEMS.search(bare) or words & _IN_WORDS)
    if speaks and words & _ENDS:
        return Meaning.UNCLEAR
    if words & _CONFIRMED_WORDS or (speaks and words & _MOMENTS):
        return Meaning.CONFIRMED
    if speaks and words & {"type", "kind", "level"}:
        return Meaning.STATE
    return Meaning.OPTED_IN if speaks else Meaning.STRAY


# -- cells ------------------------------------------------------------------------------------------------------------

_YES = frozenset(
    "yes y true t 1 on x ja j oui o si s sim wahr vrai verdadero vero checked tak ano да はい 是 예 ✓ ✔ ☑ ✅".split()
)
_NO = frozenset(
    "no n false f 0 off nein non nee nej nei nie ne nao falsch faux falso unchecked "
    "never нет いいえ 否 아니요 ✗ ✘ ☐ ❌".split()
)
_INITIALS = frozenset("t f x o s j".split())
"""Yes or no where a column asks; where it names states, S is whatever the program means by it."""
_NOTHING = frozenset(("", "none", "null", "nil", "na", "nan", "undefined", "unset", "notset", "empty", "unknown"))
_THERE = frozenset(
    "confirmed subscribed active enabled optedin optin singleoptin doubleoptin regular premium gifted trialed trialing "
    "free paid comped complimentary verified granted accepted allowed ok current member subscriber valid "
    "marketingcontact explicit implicit express implied activated "
    "angemeldet aktiv bestatigt abonniert abonne inscrit actif confirme suscrito activo confirmado iscritto attivo "
    "confermato ingeschreven aangemeld actief".split()
)
_NOT_THERE = frozenset(
    "left waiting unconfirmed pending inactive cleaned spam blocked archived deleted transactional removed held junk "
    "invalid undeliverable unactivated unverified awaitingconfirmation nopermissionsset nopermission unpaid "
    "nonsubscribed notsubscribed neversubscribed nonsubscriber notconfirmed notoptedin disabled "
    "nonmarketingcontact expired paused snoozed "
    "lapsed churned banned suspended spammy abused abuse rejected refused redacted closed quit gone dead dormant new "
    "validating requested invited waitinglist needsattention past denied declined notallowed never notgiven noconsent "
    "ineligible malformed upcoming risky catchall failed spamtrap donotmail locked terminated "
    "unbestatigt inaktiv geloscht gesperrt inactif inactivo baja inattivo inactief".split()
)
_SAYS_GONE = re.compile(
    r"unsub|opt(?:ed)?out|bounc|complain|blocklist|blacklist|denylist|suppress|cancel|abgemeld|abmeld|ausgetrag|widerruf"
    r"|desabonn|desinscri|desuscri|disiscri|uitgeschreven|afgemeld|donot(?!track)|spamreport|deactivat|revok|withdr"
    r"|unconfirm|neversubscri|notsubscri|deleted|nonsubscri|undeliver|hardbounc|nolonger|listenoire|unzustellbar"
    r"|descadastr|avregistr|avprenum|afmeld|wypisan|odhlas|отпис|配信停止|配信解除|退会|退订|退訂|取消订阅|取消訂閱|수신거부"
)
_OF_MAILINGS = re.compile(
    r"unsub\w*|opte?d?out|block?listed|blacklisted|(?:hard|soft)?bounced?|hardbounces|complain(?:ed|t|ts)|suppress(?:ed|ions?)"
    r"|non?subscri\w*|no(?:e?mails?|newsletters?)|notsubscri\w*|unconfirmed|undeliverable|abgemeldete?r?|ausgetragene?r?|abmeldungen?|unzustellbar"
    r"|desabonne\w*|desinscri\w*|desuscri\w*|disiscritt\w|uitgeschreven|afgemeld|descadastrad\w|avregistrerad|avprenumererad"
    r"|wypisan\w|odhlasen\w?|отписан\w*|配信停止|退订|退訂|수신거부"
)
"""One word of a cell, or two neighbours: what programs say of a mailing, and hardly anybody of anything else."""
_LABELS = frozenset(
    "inactive cleaned deleted spam banned blocked removed unverified bounces inaktiv geloscht gesperrt".split()
)
"""As the whole of a label: a customer or a licence may be inactive, too."""
_MAY_STRAY = re.compile(
    r"subs|out|list|bounc|omplai|uppress|confirm|deliver|mail|newsl|abge|abme|getrag|zustell|desab|desin|desus|disis"
    r"|uitge|afge|desca|avreg|avpren|wypi|odhl|[^\x00-\x7f]",
    re.IGNORECASE,
)
"""A part of each of these words, looked for first: nearly every cell has none of them."""
_LONGEST_STRAY = 60
"""Characters: a name of a group or some tags; more is somebody's own words."""
_LEAVERS_FILE = re.compile(
    r"^cleaned\b|^(?:bounces|blocks|invalid emails|inactive|deleted|removed|former|dnc|blacklist|blocklist)\b|spam"
    r" reports|opt ?outs?|do ?not ?(?:contact|e?mail|send)|suppression list|(?:black|block)list(?:ed)?$|^kontaktsperre"
)
_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{8}T?|\d{9,19}"
    r"|\b(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zä]*\.? .*\d{4}"
    r"|\d{1,2}\.? (?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zä]*\.? \d{2,4}",
    re.IGNORECASE,
)
_NO_DATE = re.compile(r"(?:0001-01-01|19(?:70-01-01|00-01-00)|1899-12-30|01/01/1970)?[0 :./+-]*(?:t[0:.]*)?(?:z|utc)?")
"""How programs write a moment that never was: 0000-00-00 00:00:00, 0001-01-01T00:00:00Z, 1970-01-01 00:00:00."""
_LOOKED_AT = 200
"""Characters of a cell: what says that somebody is gone says so at its beginning."""
_SHORTEST_HINT = 4


class _Says(StrEnum):
    YES, NO, NOTHING, THERE, GONE, DATE, OTHER = "yes", "no", "nothing", "there", "gone", "date", "other"


@lru_cache(maxsize=4096)
def _says(cell: str) -> _Says:
    text = unicodedata.normalize("NFKC", cell).strip().strip("'\"").casefold()
    bare = bare_name(text) or "".join(char for char in text if unicodedata.category(char)[0] == "S")
    if text.startswith("-") and bare.isdigit():
        return _Says.OTHER
    for words, says in ((_NOTHING, _Says.NOTHING), (_NO, _Says.NO), (_YES, _Says.YES), (_THERE, _Says.THERE)):
        if bare in words:
            return says
    if bare in _NOT_THERE or _SAYS_GONE.search(bare):
        return _Says.GONE
    if _NO_DATE.fullmatch(text):
        return _Says.NOTHING
    return _Says.DATE if _DATE.match(text) else _Says.OTHER


_NAY, _YEA = frozenset({_Says.NO, _Says.GONE}), frozenset({_Says.YES, _Says.THERE})
_GONE = {
    Meaning.LEFT: {_Says.YES, _Says.DATE, _Says.GONE},
    Meaning.OPTED_IN: _NAY | {_Says.NOTHING},
    Meaning.STATE: _NAY | {_Says.NOTHING},
    Meaning.CONFIRMED: _NAY,
    Meaning.TRACE: frozenset(_Says) - {_Says.NO, _Says.NOTHING},
    Meaning.HINT: {_Says.GONE},
    Meaning.STRAY: frozenset[_Says](),
    Meaning.LABEL: frozenset[_Says](),
    Meaning.UNCLEAR: frozenset[_Says](),
}
_STAYS = {
    Meaning.LEFT: {_Says.NO, _Says.NOTHING, _Says.THERE},
    Meaning.OPTED_IN: _YEA | {_Says.DATE},
    Meaning.STATE: _YEA,
    Meaning.CONFIRMED: _YEA | {_Says.DATE, _Says.NOTHING},
    Meaning.TRACE: {_Says.NO, _Says.NOTHING},
    Meaning.HINT: frozenset(_Says) - {_Says.GONE},
    Meaning.STRAY: frozenset(_Says),
    Meaning.LABEL: frozenset(_Says),
    Meaning.UNCLEAR: {_Says.NO, _Says.NOTHING},
}


def gone(meaning: Meaning, cell: str) -> bool:
    """Whether this cell says that its person is not subscribed. Raises `Unclear`."""
    if meaning is Meaning.HINT and len(cell.strip()) < _SHORTEST_HINT:
        return False
    if meaning in UNKNOWN:
        return strays(cell) or (meaning is Meaning.LABEL and bare_name(cell[:_LONGEST_STRAY]) in _LABELS)
    says = _says(cell[:_LOOKED_AT])
    if meaning is Meaning.STATE and cell.strip().casefold() in _INITIALS:
        raise Unclear
    if says in _GONE[meaning]:
        return True
    if says in _STAYS[meaning]:
        return False
    raise Unclear


def is_moment(cell: str) -> bool:
    """Whether a date cell has more than nothing, yes or no (phpList's `confirmed` is 1 or 0)."""
    return _says(cell[:_LOOKED_AT]) not in (_Says.NOTHING, _Says.YES, _Says.NO)


def strays(cell: str) -> bool:
    """Whether a cell of any column says that somebody unsubscribed, in a word that means nothing else."""
    return len(cell) <= _LONGEST_STRAY and bool(_MAY_STRAY.search(cell)) and _strays(cell)


@lru_cache(maxsize=4096)
def _strays(cell: str) -> bool:
    if "@" in cell or "://" in cell:
        return False
    words = [
        bare_name(word) for word in re.split(r"[\W\d_]+", _without_marks(unicodedata.normalize("NFKC", cell))) if word
    ]
    pairs = [first + second for first, second in itertools.pairwise(words)]
    return any(_OF_MAILINGS.fullmatch(word) for word in (*words, *pairs))


def refuses(consent: str) -> bool:
    """Whether a consent text cell says in a few words that the person did not agree."""
    words = consent.split()
    if not words or len(words) > _MOST_WORDS_OF_NO:
        return False
    says = _says(consent)
    bare = bare_name(consent)
    return says in _NAY or bare in _NOTHING or bare_name(words[0]) in _DENIALS


_MOST_WORDS_OF_NO = 3
_DENIALS = _NO | frozenset("not without nicht kein keine pas sans sin senza geen zonder".split())


def of_leavers(name: str) -> bool:
    """Whether a file's name says that it lists unsubscribed people: unsubscribed_members_export_1a2b.csv."""
    stem = name.rpartition(".")[0] or name
    spaced = " ".join(re.split(r"[\W_]+", stem.casefold())).strip()
    return strays(stem[:_LONGEST_STRAY]) or bool(_LEAVERS_FILE.search(spaced))


def agrees(consent: str) -> bool:
    """Whether a consent text cell only says yes, without the text."""
    return _says(consent[:_LOOKED_AT]) is _Says.YES
