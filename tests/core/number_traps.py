"""Numbers that are none of a card: what a search for card numbers must leave alone. Invented by chance."""

from troth.core.text.ibans import LENGTHS


def check_digit(body):
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def digits(chance, count):
    return "".join(chance.choices("0123456789", k=count))


def imei(chance):
    body = chance.choice(["35", "86", "01", "99", "45", "52"]) + digits(chance, 12)
    return body + check_digit(body)


def imei_spaced(chance):
    number = imei(chance)
    return f"{number[:2]} {number[2:8]} {number[8:14]} {number[14]}"


def iban(chance, separator=""):
    country = chance.choice(sorted(LENGTHS))
    body = digits(chance, LENGTHS[country] - 4)
    turned = "".join(str(int(letter, 36)) for letter in body + country + "00")
    whole = f"{country}{98 - int(turned) % 97:02d}{body}"
    return separator.join(whole[at : at + 4] for at in range(0, len(whole), 4))


def telephone(chance):
    country = chance.choice(["1", "30", "33", "36", "37", "38", "39", "4", "44", "49", "52", "62", "90"])
    rest = digits(chance, 15 - len(country) - chance.randrange(4))
    separator = chance.choice(["", " ", "-"])
    return f"+{country}{separator}{rest[:3]}{separator}{rest[3:7]}{separator}{rest[7:]}"


def national(chance):
    rest = digits(chance, chance.randrange(7, 11))
    return f"0{chance.randrange(2, 10)}{rest[:2]} {rest[2:]}"


def order(chance):
    return digits(chance, chance.randrange(6, 13))


def table(chance):
    return " ".join(str(chance.randrange(10_000)) for _ in range(12))


def column(chance):
    return "\n".join(str(chance.randrange(45_000_000, 46_000_000)) for _ in range(6))


def euros(chance):
    return " ".join(f"{chance.randrange(100_000) / 100:.2f}" for _ in range(8))
