"""What can go wrong at the card company, by what the caller can do about it."""

from troth.core.errors import TrothError


class CardCompanyError(TrothError):
    """The card company did not do what it was asked, or may have done it. `retry`: the same call, with the same key."""


class NoAnswer(CardCompanyError):
    """No answer, or none that can be read: it may be done. The same key finds out."""

    retry = True


class Busy(CardCompanyError):
    """Not done: too many calls. `after`: seconds to wait."""

    retry = True

    def __init__(self, message: str, after: int) -> None:
        super().__init__(message, mend="It is tried again by itself.")
        self.after = after


class Broken(CardCompanyError):
    """The company says that it failed, and its answer to this key will stay so: ask for the object to learn more."""


class KeyRefused(CardCompanyError):
    """The API key is wrong, or may not do this."""


class Unknown(CardCompanyError):
    """There is no such object."""


class Refused(CardCompanyError):
    """The company will not do it. `code`: its reason in one word."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
