"""Find recognisable card numbers in text, so that none is stored or logged (B2, `cards.not-kept`).

Digits are taken for a card number when length and first digits are an issuer's, the check digit is right (Luhn, ISO/IEC
7812-1) and they are written as people write them: in one piece, in groups, one by one, or over several lines; as the
text stands and without disguises (`digit_encodings`). Left alone: valid IBANs (ISO 13616), UUIDs, telephone numbers
with `+`, decimals. Takes time in proportion to the text. Standard library only.

Weak: one in forty random numbers of sixteen digits is masked, too (tests/ground measures it). Not found: numbers in
words or pictures, and a number inside a longer unbroken run of digits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from troth.core.text.digit_encodings import MASK as MASK
from troth.core.text.digit_encodings import matches_in, only, segments, views
from troth.core.text.ibans import without_ibans


@dataclass(frozen=True, slots=True)
class CardNumberMatch:
    """A card number at `text[start:end]` of the text as it was given. `last_four` are ASCII digits."""

    start: int
    end: int
    last_four: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Digits in one piece. `broken`: a line's end stands between them and the group before."""

    start: int
    digits: str
    broken: bool
    loose: str
    """What stands between them and the group before, where people seldom write it within a number: a comma, a bar."""
    remaining: int
    """Digits that may still belong to the telephone number this group is in, itself among them; 0 outside of one."""


def find(text: str) -> list[CardNumberMatch]:
    """Return all card numbers in `text`, by position, none overlapping another."""
    hits = sorted(_in_text(text), key=lambda hit: (hit.start, -hit.end))
    chosen: list[CardNumberMatch] = []
    for hit in hits:
        if not chosen or hit.start >= chosen[-1].end:
            chosen.append(hit)
    return chosen


def mask(text: str) -> str:
    """Reduce each card number in `text` to its last four digits: `•••• 4242`. Masking twice changes nothing."""
    while hits := find(text):  # a second round only where taking one number out laid another bare
        pieces, position = [], 0
        for hit in hits:
            pieces += [text[position : hit.start], MASK, hit.last_four]
            position = hit.end
        text = "".join(pieces) + text[position:]
    return text


# -- reading ----------------------------------------------------------------------------------------------------------

_DIGITS = re.compile(rf"{MASK}[0-9]{{4}}|[0-9]+")
_JOIN = re.compile(r" {1,3}| ?[-./_+] ?")
_LOOSE_JOIN = re.compile(r"[- ,:;.|()\[\]{}*/_+~#'\"`^=<>!?&\\“”‘’«»•‣▪▸→⇒…‥¦§°。、]{0,10}")
_LINE_BREAK = re.compile(r"[ =\-./_+,;:|*]{0,3}\n{1,2}[ >\-./_+,;:|*]{0,6}")  # with what mail programs put around one
_UUID = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f])")
_DIGITS_ALONE = re.compile("[0-9]+")
_LONGEST = 19
_LONGEST_TELEPHONE = 15  # ITU-T E.164


_PIECE, _BEFORE, _BEHIND = 16_384, 1_024, 2_048
"""Characters of a long text that are looked at together, and how many before and behind are looked at with them."""
_BEFORE_IT, _BEHIND_IT = 80, 64
"""Characters before and behind what may be a number that decide whether it is one."""


def _in_text(text: str) -> Iterator[CardNumberMatch]:
    if len(text) <= 2 * _PIECE:
        yield from _in_piece(text)
        return
    for start in range(0, len(text), _PIECE):
        offset = max(0, start - _BEFORE)
        for hit in _in_piece(text[offset : start + _PIECE + _BEHIND]):
            if start <= hit.start + offset < start + _PIECE:
                yield CardNumberMatch(hit.start + offset, hit.end + offset, hit.last_four)


def _in_piece(text: str) -> Iterator[CardNumberMatch]:
    for view in views(text, _Judge().holds_number):
        for first, last, digits in _Judge().numbers(view.text):
            yield CardNumberMatch(view.starts[first], view.ends[last], digits[-4:])


class _Judge:
    """Looks at one form of a text after the other, and at nothing twice that is in several."""

    def __init__(self) -> None:
        self._hopeless: set[bytes] = set()
        self._empty: set[str] = set()

    def holds_number(self, text: str) -> bool:
        """Return whether there is a number in this form."""
        return any(self.numbers(text))

    def numbers(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the first place, the last place and the digits of each number in a text without disguise."""
        for start, end, firsts in self._windows(text):
            window, some = text[start:end], False
            for first, last, digits in _in_window(window) if window not in self._empty else ():
                if first + start in firsts:
                    some = True
                    yield first + start, last + start, digits
            if not some:
                self._empty.add(window)

    def _windows(self, text: str) -> Iterator[tuple[int, int, set[int]]]:
        """The parts of a text around what may be numbers, with the places where these may begin."""
        start = end = -1
        firsts: set[int] = set()
        for first, last in self._possible(text):
            if firsts and first - _BEFORE_IT > end:
                yield start, end, firsts
                firsts = set()
            start = start if firsts else max(0, first - _BEFORE_IT)
            end = last + _BEHIND_IT
            firsts.add(first)
        if firsts:
            yield start, end, firsts

    def _possible(self, text: str) -> Iterator[tuple[int, int]]:
        """The places where a number may begin, and until where it then may go: quick, and never too few."""
        data = text.encode("ascii", "replace")  # `?` may stand between digits, too
        places = list(segments(data, _SIGNS, _SHORTEST, self._hopeless))
        if not places:
            return
        hopeful = set[int]()
        pieces = [text[start : start + len(segment)] for start, segment in places]
        for judged, (index, offset) in enumerate(matches_in(_CANDIDATE, pieces)):
            start = places[index][0] + offset
            digits = _NINETEEN.match(text, start)
            if digits and (judged > _MOST_JUDGED or _may_be_number(digits[0], _shortest_at(text, start))):
                hopeful.add(index)
                yield digits.span()
        self._hopeless.update(segment for index, (_, segment) in enumerate(places) if index not in hopeful)


def _in_window(text: str) -> Iterator[tuple[int, int, str]]:
    text = without_ibans(_UUID.sub(lambda match: "\0" * len(match[0]), text))
    for chain in _chains(text):
        first = 0
        while first < len(chain):
            last = _number_at(chain, first, text)
            if last is None:
                first += 1
                continue
            end = chain[last].start + len(chain[last].digits)
            yield chain[first].start, end - 1, "".join(group.digits for group in chain[first : last + 1])
            first = last + 1


def _chains(text: str) -> Iterator[list[_Group]]:
    """The groups of digits in `text`, those that may belong together in one list."""
    chain: list[_Group] = []
    end = -1
    for match in _DIGITS.finditer(text):
        if match[0][0] == MASK[0]:  # masked before: its four digits belong to nothing
            end = -1
            continue
        start = match.start()
        between = text[end:start] if end >= 0 and start - end <= 12 else "\0"
        broken = bool(_LINE_BREAK.fullmatch(between))
        joined = broken or bool(_JOIN.fullmatch(between))
        if not joined and chain and not _LOOSE_JOIN.fullmatch(between):
            yield chain
            chain = []
        shared = max(0, chain[-1].remaining - len(chain[-1].digits)) if chain else 0
        shared = _LONGEST_TELEPHONE if _after_plus(text, start) else shared
        chain.append(_Group(start, match[0], broken, between if chain and not joined else "", shared))
        end = match.end()
    yield chain


def _after_plus(text: str, start: int) -> bool:
    """Whether the digits at `start` follow a `+` that joins them to nothing: a telephone number's."""
    before = text[max(0, start - 3) : start].removesuffix(" ")
    return before.endswith("+") and not before[-2:-1].isdigit()


def _number_at(chain: list[_Group], first: int, text: str) -> int | None:
    """The last group of the longest card number that begins with group `first`; None if there is none."""
    digits, best = "", None
    if first and len(chain[first].digits) == len(chain[first - 1].digits) == 1:
        return None  # in the midst of a row of single digits, where no number begins
    for last in range(first, len(chain)):
        digits += chain[last].digits
        if len(digits) > _LONGEST or (last - first == 5 and not _may_be_long(chain, first)):
            break
        if _is_number(digits, chain[first], text) and _is_written_as_one(chain, first, last):
            best = last
    return best


def _may_be_long(chain: list[_Group], first: int) -> bool:
    """Whether a number in six groups or more may begin here: in even groups, or broken over lines."""
    return _alike(chain[first], chain[first + 1]) or any(group.broken for group in chain[first + 1 : first + 6])


def _is_number(digits: str, group: _Group, text: str) -> bool:
    size = len(digits)
    if size < 13 or not _issued(digits) or not _luhn(digits):
        return False
    if size <= group.remaining or (
        len(group.digits) > _LONGEST_GROUP and _POINT.search(text, group.start - 2, group.start)
    ):
        return False  # a telephone number, or the decimals behind a point
    return size != 13 or bool(_CARD_WORD.search(text, max(0, group.start - 40), group.start))


def _is_written_as_one(chain: list[_Group], first: int, last: int) -> bool:
    groups = chain[first : last + 1]
    sizes = [len(group.digits) for group in groups]
    if len(groups) == 1:
        return True
    if any(group.loose for group in groups[1:]):
        return _is_printed(groups, sizes) and not _goes_on_anyhow(chain, first, last)
    if all(group.broken for group in groups[1:]) and _goes_on(chain, first, last, broken=True):
        return False  # a column of numbers
    return any(_is_shape(shape, chain, first, last) for shape in (sizes, _mended(groups)))


def _is_printed(groups: list[_Group], sizes: list[int]) -> bool:
    """Whether these are the groups on a card, each of them, or single digits, and the same stands between all."""
    if len({group.loose.strip() for group in groups[1:]}) > 1:
        return False
    fours = len(sizes) > 3 and set(sizes[:-1]) == {4} and sizes[-1] <= 4
    return fours or sizes in ([4, 6, 5], [4, 6, 4]) or set(sizes) == {1}


def _is_shape(sizes: list[int], chain: list[_Group], first: int, last: int) -> bool:
    gaps = set(accumulate(sizes[:-1]))
    if gaps <= {4, 8, 12, 16} or gaps == {6} or (gaps <= {4, 10} and sum(sizes) in (14, 15)):
        return True  # as cards are printed; some gaps may be missing
    # Digit by digit, or in pairs: only where the whole row is the number, or every table of figures would be one.
    return set(sizes) in ({1}, {2}) and not _goes_on(chain, first, last, broken=False)


def _goes_on_anyhow(chain: list[_Group], first: int, last: int) -> bool:
    return any(_goes_on(chain, first, last, broken=broken) for broken in (True, False))


def _goes_on(chain: list[_Group], first: int, last: int, *, broken: bool) -> bool:
    """Whether the row (or column, if `broken`) goes on in the same step before or after these groups."""
    before = first > 0 and chain[first].broken == broken and _alike(chain[first - 1], chain[first])
    follows = last + 1 < len(chain) and chain[last + 1].broken == broken and _alike(chain[last], chain[last + 1])
    return before or follows


def _alike(first: _Group, second: _Group) -> bool:
    return len(first.digits) == len(second.digits)


def _mended(groups: list[_Group]) -> list[int]:
    """The sizes of the groups as they were before the line was broken."""
    sizes: list[int] = []
    for place, group in enumerate(groups):
        if place and group.broken:
            sizes[-1] += len(group.digits)
        else:
            sizes.append(len(group.digits))
    return sizes


# -- what a number is -------------------------------------------------------------------------------------------------

_POINT = re.compile(r"[0-9]\.")
_LONGEST_GROUP = 6
"""Digits of a group on a card at most."""
_CARD_WORD = re.compile(r"card|visa|kart|carte|tarjeta|cart[aã]o|carta|kaart|kort|\bcc\b|\bpan\b", re.IGNORECASE)
_DOUBLED = str.maketrans("0123456789", "0246813579")

# First digits from, to (of as many digits), and the lengths that the issuers use. ISO/IEC 7812 and the schemes' own
# public tables. Thirteen digits count only beside a word that speaks of a card.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16)),  # Diners Club
    ("3095", "3095", (14, 16)),
    ("36", "36", (14, 16)),
    ("38", "39", (14, 16)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("810", "817", (16, 17, 18, 19)),
    ("3528", "3589", (16, 19)),  # JCB
    ("5018", "5020", (16, 17, 18, 19)),  # Maestro, Dankort
    ("5038", "5038", (16, 17, 18, 19)),
    ("5893", "5893", (16, 17, 18, 19)),
    ("6304", "6304", (16, 17, 18, 19)),
    ("6759", "6763", (16, 17, 18, 19)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("508", "508", (16,)),  # RuPay
    ("6069", "6079", (16,)),
    ("817", "820", (16,)),
    ("5060", "5061", (16, 18, 19)),  # Verve
    ("504175", "504175", (16,)),  # Elo
    ("5066", "5067", (16,)),
    ("509", "509", (16,)),
    ("636297", "636297", (16,)),
    ("636368", "636369", (16,)),
    ("606282", "606282", (16,)),  # Hipercard
    ("9792", "9792", (16,)),  # Troy
    ("8600", "8600", (16,)),  # Uzcard
    ("9860", "9860", (16,)),  # Humo
)
_BY_FIRST = {
    digit: [row for row in _ISSUERS if row[0][0] <= digit <= row[1][0]] for digit in "0123456789"
}  # most text is refused by this table alone


def _issued(digits: str) -> bool:
    size = len(digits)
    return any(low <= digits[: len(low)] <= high and size in sizes for low, high, sizes in _BY_FIRST[digits[0]])


def _luhn(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))
    return total % 10 == 0


def _first_digits() -> str:
    """A pattern behind the first digit of all issuers' numbers: which one it was, and the second, whatever stands
    between them."""
    seconds: dict[str, set[int]] = {}
    for low, high, _ in _ISSUERS:
        both = (int(low[:2]), int(high[:2])) if len(low) > 1 else (int(low) * 10, int(low) * 10 + 9)
        for number in range(both[0], both[1] + 1):
            seconds.setdefault(str(number // 10), set()).add(number % 10)
    return "|".join(
        f"(?<={first})" + (f"(?={_BETWEEN}{{0,12}}[{''.join(map(str, sorted(after)))}])" if len(after) < 10 else "")
        for first, after in sorted(seconds.items())
    )


def _pieces(count: int) -> str:
    """A pattern of so many digits, a line's end between any two."""
    return f"[0-9](?:(?:{_LINE_BREAK.pattern})?[0-9]){{{count - 1}}}"


_BETWEEN = r"[-\n ,:;.|()\[\]{}*/_+~#'\"`^=<>!?&\\“”‘’«»•‣▪▸→⇒…‥¦§°。、]"
_JOINED = rf"(?:{_JOIN.pattern}|{_LINE_BREAK.pattern})"
_SHAPES = (  # what `_is_written_as_one` lets pass, and more
    rf"[0-9](?:(?:{_LINE_BREAK.pattern})?[0-9]){{12,18}}(?![0-9])",
    rf"{_pieces(4)}{_BETWEEN}{{1,12}}{_pieces(4)}(?:{_BETWEEN}{{0,12}}[0-9]){{5}}",
    rf"{_pieces(6)}{_JOINED}{_pieces(7)}",
    rf"{_pieces(8)}{_JOINED}{_pieces(4)}",
    rf"{_pieces(10)}{_JOINED}{_pieces(4)}",
    rf"{_pieces(12)}{_JOINED}[0-9]",
    rf"[0-9](?:{_BETWEEN}{{1,12}}[0-9]){{12}}",
    rf"{_pieces(2)}(?:{_JOINED}{_pieces(2)}){{6}}",
)
_CANDIDATE = re.compile(  # begins with a class, by which the engine skips what is none of these digits
    rf"[{''.join(sorted({low[0] for low, _, _ in _ISSUERS}))}]"
    rf"(?:(?<![0-9].)|(?<={MASK}[0-9]{{4}}.))"  # where digits begin
    r"(?!(?<=[^0-9 -][0-9]\.[0-9])[0-9]{6})"  # no decimals; but behind a blank there may be an IBAN's end
    rf"(?:{_first_digits()})(?={'|'.join(shape.removeprefix('[0-9]') for shape in _SHAPES)})",
    re.DOTALL,
)
_SIGNS = only(b"0123456789\n- ,:;.|()[]{}*/_+~#'\"`^=<>!?&\\")
_SHORTEST = 13


_NINETEEN = re.compile(rf"[0-9](?:{_BETWEEN}{{0,12}}[0-9]){{0,18}}")
_MOST_JUDGED = 64
"""In a text full of digits it is quicker to look at all of it."""


def _shortest_at(text: str, start: int) -> int:
    return _LONGEST_TELEPHONE + 1 if _after_plus(text, start) else _SHORTEST


def _may_be_number(text: str, shortest: int) -> bool:
    """Whether the text's digits, some of the first, have the length, the first digits and the check digit of one."""
    digits = "".join(_DIGITS_ALONE.findall(text))
    rows = _BY_FIRST[digits[0]]
    sizes = {size for low, high, sizes in rows if low <= digits[: len(low)] <= high for size in sizes}
    return any(shortest <= size <= len(digits) and _luhn(digits[:size]) for size in sizes)
