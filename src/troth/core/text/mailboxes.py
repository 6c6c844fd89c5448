"""Which addresses lead to one mailbox, as large providers deliver them, and which look as if they might. Only for
counting mails, which go to the address as typed. Elsewhere a plus and what follows is dropped (RFC 5233). Touches
nothing."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider reads an address."""

    domains: str
    """Separated by blanks. With `shares_names`, the same name at each of them is the same mailbox."""
    tag: str = "+"
    """A sign of these, and what follows it, is the holder's own."""
    ignored: str = ""
    """Signs that make no difference in the name."""
    shares_names: bool = True
    below: bool = False
    """`anything@name.domain` is `name@domain`, too."""


PROVIDERS = (
    # Gmail: dots do not matter; googlemail.com is gmail.com; plus.
    Provider("gmail.com googlemail.com", ignored="."),
    # Outlook.com: plus. The same name at two of its domains is two people's.
    Provider(
        "outlook.com hotmail.com live.com msn.com outlook.de hotmail.de live.de outlook.fr hotmail.fr live.fr "
        "hotmail.co.uk live.co.uk outlook.es hotmail.es hotmail.it live.it outlook.it live.nl hotmail.nl "
        "outlook.com.br outlook.jp",
        shares_names=False,
    ),
    # iCloud Mail: plus; @me.com and @mac.com are the account's @icloud.com.
    Provider("icloud.com me.com mac.com"),
    # Fastmail: plus, and subdomain addressing.
    Provider("fastmail.com fastmail.fm fastmail.net fastmail.org sent.com", shares_names=False, below=True),
    # Proton Mail: plus; dots, hyphens and underscores do not matter; its short domains belong to the same account.
    Provider("proton.me protonmail.com protonmail.ch pm.me", ignored=".-_"),
    # Yahoo Mail: a disposable address is a base name, a hyphen, a keyword; plus.
    Provider("yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ca "
             "yahoo.com.br yahoo.co.in", tag="+-", shares_names=False),
    # Yandex Mail: a dot is a hyphen; plus; its domains belong to one account.
    Provider("yandex.ru yandex.com yandex.by yandex.kz yandex.ua ya.ru", ignored=".-"),
    # Zoho Mail: plus.
    Provider("zoho.com zohomail.com zoho.eu zohomail.eu", shares_names=False),
    # Known to many people, with nothing of their own: so that a crowd there is no attack.
    Provider("gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de aol.com mail.ru orange.fr free.fr "
             "laposte.net libero.it wp.pl onet.pl seznam.cz qq.com 163.com 126.com naver.com", shares_names=False),
)  # fmt: skip
_OF = {domain: provider for provider in PROVIDERS for domain in provider.domains.split()}
_OTHER = Provider("", shares_names=False)
_NO_LETTER = re.compile(r"[\W\d_]+")


def is_shared(domain: str) -> bool:
    """Whether so many people have addresses there that a crowd of new ones is nothing strange."""
    return domain in _OF


def mailbox(address: str) -> str:
    """Return one spelling for all that lead to the same mailbox. `address`: normalised, in small letters."""
    local, _, domain = address.rpartition("@")
    above = domain.partition(".")[2]
    below = _OF.get(above)
    if below and below.below:
        local, domain = domain.partition(".")[0], above
    provider = _OF.get(domain, _OTHER)
    for sign in provider.tag:
        local = local.partition(sign)[0] or local
    local = "".join(sign for sign in local if sign not in provider.ignored) or local
    return f"{local}@{provider.domains.split()[0] if provider.shares_names else domain}"


def skeleton(address: str) -> str:
    """Return the name without digits and signs, at its domain: `anna.smith2@` and `annasmith-x7@` look alike to whoever
    invents addresses for one mailbox. Empty where nothing is left, and at a provider whose spellings are known: there
    two mailboxes are two people's."""
    local, _, domain = mailbox(address).rpartition("@")
    if is_shared(domain):
        return ""
    letters = _NO_LETTER.sub("", local)
    return f"{letters}@{domain}" if letters else ""
