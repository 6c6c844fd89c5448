"""Card numbers for proofs: new each time, so that one that is found was kept. Touches nothing."""

import secrets

_ISSUERS = (("4", 16), ("51", 16), ("2223", 16), ("37", 15), ("6011", 16))


def new_number() -> str:
    """Digits that an issuer's card could have: right beginning, right length, right check digit (ISO/IEC 7812-1)."""
    prefix, length = secrets.choice(_ISSUERS)
    body = prefix + "".join(secrets.choice("0123456789") for _ in range(length - len(prefix) - 1))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{body}{-total % 10}"


def spellings(number: str) -> list[str]:
    """As people write it: bare, in groups, and in wide digits."""
    groups = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    wide = "".join(chr(0xFF10 + int(digit)) for digit in number)
    return [number, groups, groups.replace(" ", "-"), groups.replace(" ", "."), wide]
