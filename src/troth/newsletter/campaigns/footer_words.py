"""The words of a campaign's footer, in the languages that Troth knows. Touches nothing."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Footer:
    """What stands below every campaign."""

    language: str
    direction: str
    why: str
    """Why the recipient gets it: they are subscribed, or it is about something of theirs."""
    unsubscribe: str
    stop_topic: str
    """In a campaign about one topic."""
    preferences: str
    view: str
    twice: str
    """For an email that may arrive twice."""


class _Words(NamedTuple):
    why: str
    """With `{site}` for the site's name."""
    about_you: str
    """The same in a transactional email."""
    unsubscribe: str
    stop_topic: str
    """In a campaign about one topic."""
    preferences: str
    view: str
    twice: str


_WORDS = {
    "en": _Words(
        "You receive this email because you subscribed to the newsletter of {site}.",
        "You receive this email from {site} because it concerns you.",
        "Unsubscribe",
        "Stop this topic only",
        "Preferences",
        "View in browser",
        "You may get this email twice: the connection broke while it was being sent. Either copy works.",
    ),
    "de": _Words(
        "Sie erhalten diese E-Mail, weil Sie den Newsletter von {site} abonniert haben.",
        "Sie erhalten diese E-Mail von {site}, weil sie Sie persönlich betrifft.",
        "Abmelden",
        "Nur dieses Thema abbestellen",
        "Einstellungen",
        "Im Browser ansehen",
        "Vielleicht erhalten Sie diese E-Mail zweimal: Die Verbindung brach beim Senden ab. Beide sind gültig.",
    ),
    "es": _Words(
        "Recibe este correo porque se suscribió al boletín de {site}.",
        "Recibe este correo de {site} porque le concierne.",
        "Darse de baja",
        "Dejar solo este tema",
        "Preferencias",
        "Ver en el navegador",
        "Puede que reciba este correo dos veces: la conexión se cortó durante el envío. Ambas copias sirven.",
    ),
    "fr": _Words(
        "Vous recevez cet e-mail parce que vous êtes abonné à la lettre d’information de {site}.",
        "Vous recevez cet e-mail de {site} parce qu’il vous concerne.",
        "Se désabonner",
        "Se désabonner de ce thème seulement",
        "Préférences",
        "Voir dans le navigateur",
        "Cet e-mail peut vous parvenir deux fois : la connexion a été coupée pendant l’envoi. Les deux sont valables.",
    ),
    "it": _Words(
        "Ricevi questa email perché hai sottoscritto la newsletter di {site}.",
        "Ricevi questa email da {site} perché ti riguarda.",
        "Annulla l’iscrizione",
        "Annulla solo questo argomento",
        "Preferenze",
        "Vedi nel browser",
        "Potresti ricevere questa email due volte: la connessione è caduta durante l’invio. Entrambe sono valide.",
    ),
    "nl": _Words(
        "U ontvangt deze e-mail omdat u zich hebt aangemeld voor de nieuwsbrief van {site}.",
        "U ontvangt deze e-mail van {site} omdat hij u betreft.",
        "Afmelden",
        "Alleen dit onderwerp stopzetten",
        "Voorkeuren",
        "Bekijken in de browser",
        "Mogelijk ontvangt u deze e-mail twee keer: de verbinding viel weg tijdens het verzenden. Beide zijn geldig.",
    ),
    "pt": _Words(
        "Recebe este e-mail porque subscreveu a newsletter de {site}.",
        "Recebe este e-mail de {site} porque lhe diz respeito.",
        "Cancelar subscrição",
        "Cancelar só este tema",
        "Preferências",
        "Ver no navegador",
        "Pode receber este e-mail duas vezes: a ligação caiu durante o envio. Ambas as cópias são válidas.",
    ),
}

_FROM_RIGHT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


def footer(language: str, site_name: str, *, transactional: bool = False) -> Footer:
    """Return the footer for a text's language: in English where the language is not known."""
    base = _base(language)
    known = base if base in _WORDS else "en"
    words = _WORDS[known]
    why = (words.about_you if transactional else words.why).replace("{site}", site_name)
    links = (words.unsubscribe, words.stop_topic, words.preferences, words.view)
    return Footer(known, direction(known), why, *links, words.twice)


_NAMES = {
    "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch",
    "pt": "Portuguese",
}  # fmt: skip


def language_name(tag: str) -> str:
    """Return a language as operators read it: `German (de)`; the tag alone where Troth has no name for it."""
    return f"{_NAMES[_base(tag)]} ({tag})" if _base(tag) in _NAMES else tag


def direction(language: str) -> str:
    """Return `rtl` for a language that is written from the right, or else `ltr`."""
    return "rtl" if _base(language) in _FROM_RIGHT else "ltr"


def _base(language: str) -> str:
    return language.partition("-")[0].lower()
