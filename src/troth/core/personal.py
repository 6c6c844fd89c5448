"""Types for what people typed, whose `repr` and `str` show nothing (C1, C3), nor does a log line, a traceback or a
pickle. A value leaves its type only by `reveal()`, called by seal, vault and gate alone (`tests/contracts` looks)."""

from collections.abc import Iterator
from typing import ClassVar, NoReturn, Self

import msgspec

from troth.core.purpose import BASIC, Category


class Personal:
    """One detail of one person. Immutable; equal by value; never printed."""

    __slots__ = ("_value",)
    category: ClassVar[Category]

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        """Return the detail itself. Calling this is what the review of a change looks for."""
        value: str = object.__getattribute__(self, "_value")
        return value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} does not change")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Personal) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash((type(self), self.reveal()))

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not pickled: seal it")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class EmailAddress(Personal):
    """An e-mail address as typed or as normalised."""

    __slots__ = ()
    category = Category.EMAIL


class PersonName(Personal):
    """What a person calls themselves, in one field."""

    __slots__ = ()
    category = Category.NAME


class Telephone(Personal):
    """A telephone number as typed."""

    __slots__ = ()
    category = Category.TELEPHONE


class PostalAddress(Personal):
    """A postal address, lines parted by a newline."""

    __slots__ = ()
    category = Category.POSTAL_ADDRESS


class Company(Personal):
    """The company a person names."""

    __slots__ = ()
    category = Category.COMPANY


class MessageText(Personal):
    """What a person wrote to us, or we to them."""

    __slots__ = ()
    category = Category.MESSAGE


TYPES: dict[Category, type[Personal]] = {
    kind.category: kind for kind in (EmailAddress, PersonName, Telephone, PostalAddress, Company, MessageText)
}
"""The personal type of each category."""


class BasicDetails(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contact details that a form may ask for (C1): one field for each category of `purpose.BASIC`, in its order.

    A form's entry has these fields, and so has what is stored. None: left empty, or not asked for.
    """

    email: EmailAddress
    name: PersonName | None = None
    telephone: Telephone | None = None
    postal_address: PostalAddress | None = None
    company: Company | None = None


def each_detail(details: BasicDetails) -> Iterator[tuple[Category, Personal | None]]:
    """Yield every contact detail with its category, in their order."""
    for category in BASIC:
        yield category, getattr(details, category.value)
