"""Details of invented people, in so many shapes that nothing distinguishes them from real ones.

A leak that spares people who look like earlier canaries must be detected too, so no two runs share a shape: names in
several scripts and styles, addresses of many countries, telephone numbers as written there. Each detail is long enough
not to occur by chance. Touches nothing.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

_ONSETS = "b bl br ch d dr f fl fr g gl gr h j k kl kn kr l m n p pl pr qu r s sch sh sk sl st t th tr v w wh z".split()
_NUCLEI = "a aa ae ai au e ee ei i ia ie o oa oe oo ou u ui y".split()
_CODAS = ["", "", "", *"b ck d ff g l ll ld m n nd ng nk nn p r rd rn rt s ss st t th tz x".split()]
_GIVEN = (
    "Ada Agnes Ahmed Aïcha Amélie Andrzej Anna Antónia Astrid Ayşe Bastian Beatriz Björn Brigitte Çağla Carmen "
    "Chiara Chloé Dagny Dmitri Dörte Eamon Edith Elif Emeka Farah Fatima Femke François Frida Giulia Grażyna "
    "Håkon Hana Héctor Hiroko Ines Ingrid Iñaki Jaroslav Joanna João Jürgen Kateřina Keiko Khadija Lars Leila "
    "Łukasz Maeve Magda Małgorzata Mareike Marguerite Mehmet Mireille Moira Muhammad Niamh Nikolaos Noor Nuria "
    "Olga Oluwaseun Ondřej Örjan Padma Paweł Pilar Priya Quentin Rasmus Renée Ruth Sanna Saoirse Seán Siobhán "
    "Søren Stanisław Svetlana Tamsin Teodor Thérèse Tomás Ugo Ulrike Véronique Vigdís Wiebke Xavier Yasmin "
    "Yusuf Zdeněk Žofia"
).split()
_PARTICLES = ("de", "van der", "von", "di", "al-", "O’", "Mac", "bin", "dos", "ter")
_ENDS = ("sen", "son", "ski", "wicz", "ova", "ez", "mann", "berg", "ström", "opoulos", "ović", "ini", "eau", "worth")
_SCRIPTS = (
    "Алек Бори Вара Гали Дарь Елен Жано Зина Игор Кири Люба Мари Наде Олег Поли Рома Свет Тара Усти Федо Яро".split(),
    "Αλκη Βασι Γιωρ Δημη Ελεν Ζωη Ηλια Θεοδ Ιωαν Κατε Λουκ Μαρι Νικο Ξενι Ολγα Παυλ Ρεα Σταυ Τασο Φανη".split(),
    "大 中 山 川 田 村 木 林 森 原 小 野 高 橋 佐 藤 渡 辺 真 由 健 一 郎 子 美 恵 太".split(),
    "محم أحم فاط خال سعي نور ليل عمر حسن زين ياس كري رشي منى هاد".split(),
)
_TLDS = (
    "com com com net org de de fr it es nl pl se dk at ch co.uk org.uk ie pt cz eu io dev info biz me online shop app "
    "email name ca com.au co.nz com.br co.in tech studio"
).split()
_STREETS: tuple[Callable[[str, int], str], ...] = (
    lambda name, number: f"{number} {name} Street",
    lambda name, number: f"Flat {number % 40 + 1}, {number} {name} Road",
    lambda name, number: f"{name}straße {number}",
    lambda name, number: f"{number} bis, rue {name}",
    lambda name, number: f"Via {name}, {number}",
    lambda name, number: f"C/ {name} {number}, 3º B",
    lambda name, number: f"ul. {name} {number}/4",
    lambda name, number: f"{name}gatan {number}",
    lambda name, number: f"P.O. Box {number}{number % 97:02}, {name}",
)
_NUMBERS = (
    "+49 30 ########", "+49 (0)89 / ######-##", "030/########", "+44 20 #### ####", "07### ######", "+1 415-###-####",
    "(212) ###-####", "+33 6 ## ## ## ##", "06.##.##.##.##", "+48 ### ### ###", "+46-8-### ## ##", "+39 02 #######",
    "+34 ### ## ## ##", "+31 20 ### ####", "+91 ##### #####", "+81-3-####-####", "0041 44 ### ## ##", "+353 1 ### ####",
)  # fmt: skip
_COMPANIES = (
    "{} Ltd",
    "{} GmbH",
    "{} & Söhne",
    "{} S.A.",
    "{} Inc.",
    "{}-{} AG",
    "Studio {}",
    "{} B.V.",
    "The {} Press",
)
_SAYINGS = (
    "My copy of {} stopped at {} after the last update, can you help?",
    "Guten Tag, wir hätten gern {} für {} Plätze.",
    "Is there a version of {} that runs beside {}? Thank you in advance.",
    "Bonjour, où trouver la clé de {} achetée avec {} ?",
    "I found a small mistake: {} writes {} twice.",
)


@dataclass(frozen=True, slots=True, repr=False)
class Invented:
    """What one invented person would type: a field for each `core.purpose.Category`."""

    email: str
    name: str
    telephone: str
    postal_address: str
    company: str
    message: str


def word(draw: random.Random, least: int = 2, most: int = 3) -> str:
    """Return a made-up word."""
    syllable = (draw.choice(_ONSETS) + draw.choice(_NUCLEI) + draw.choice(_CODAS) for _ in range(most))
    return "".join(list(syllable)[: draw.randint(least, most)])


def invent(draw: random.Random) -> Invented:
    """Return the details of an invented person."""
    first, last = draw.choice(_GIVEN), _surname(draw)
    return Invented(
        _email(draw, first, last),
        _name(draw, first, last),
        "".join(draw.choice("0123456789") if char == "#" else char for char in draw.choice(_NUMBERS)),
        _address(draw),
        draw.choice(_COMPANIES).format(word(draw, 2, 3).title(), word(draw).title()),
        draw.choice(_SAYINGS).format(word(draw).title(), word(draw, 2, 4)),
    )


def _surname(draw: random.Random) -> str:
    return (word(draw, 2, 3) + draw.choice(("", "", draw.choice(_ENDS)))).capitalize()


def _name(draw: random.Random, first: str, last: str) -> str:
    second = _surname(draw)
    habits: tuple[Callable[[], str], ...] = (
        lambda: f"{first} {last}",
        lambda: f"{first} {last}",
        lambda: f"{first} {last}-{second}",
        lambda: f"{first} {draw.choice('ABDEGKLMRST')}. {last}",
        lambda: f"Dr. {first} {last}",
        lambda: f"{last}, {first}",
        lambda: f"{first} {draw.choice(_PARTICLES)} {last}",
        lambda: f"{first}-{draw.choice(_GIVEN)} {last} {second}",
        lambda: f"{first} {last}".lower(),
        lambda: f"{first} {last}".upper(),
        lambda: f"{first} O'{last}",
        lambda: _in_another_script(draw),
    )
    return draw.choice(habits)()


def _in_another_script(draw: random.Random) -> str:
    pieces = draw.choice(_SCRIPTS)
    return " ".join("".join(draw.choice(pieces) for _ in range(3)) for _ in range(2))


def _email(draw: random.Random, first: str, last: str) -> str:
    plain = "".join(char for char in (first + last).lower() if "a" <= char <= "z")
    year, mark = draw.randint(40, 2009), word(draw, 1, 2)
    habits = (
        f"{plain}.{mark}",
        f"{mark}{year}",
        f"{mark}_{plain}",
        f"{plain[0]}{plain[-5:]}{year}",
        f"{mark}-{word(draw, 1, 2)}.{year}",
        f"{mark}.{word(draw, 1, 2)}+{word(draw, 1, 1)}",
        f"the{mark}{word(draw, 1, 2)}",
        f"{word(draw, 1, 1)}.{plain[:1]}.{mark}{year % 100:02}",
        f"{year}{plain}{mark}",
        f"{mark.capitalize()}.{plain.capitalize()}",
    )
    return f"{draw.choice(habits)}@{_domain(draw)}"


def _domain(draw: random.Random) -> str:
    habits = (
        word(draw, 2, 3),
        f"{word(draw, 1, 2)}-{word(draw, 1, 2)}",
        f"mail.{word(draw, 2, 3)}",
        f"{word(draw, 1, 2)}{draw.randint(2, 999)}",
        f"{word(draw, 1, 2)}-{draw.choice(('soft', 'web', 'online', 'consulting', 'family', 'uni'))}",
        f"{word(draw, 1, 1)}.{word(draw, 2, 3)}",
        f"my{word(draw, 2, 3)}",
        f"{word(draw, 3, 4)}",
    )
    return f"{draw.choice(habits)}.{draw.choice(_TLDS)}"


def _address(draw: random.Random) -> str:
    street = draw.choice(_STREETS)(_surname(draw), draw.randint(2, 299))
    code = "".join(draw.choice("0123456789") for _ in range(5))
    # A country on a line of its own would be looked for by itself, and found in somebody else's mail.
    town = f"{code} {_surname(draw)}{draw.choice(('', '', ', Österreich', ', United Kingdom', ', France'))}"
    above = draw.choice(((), (), (f"c/o {_surname(draw)}",)))
    return "\n".join((*above, street, town))
