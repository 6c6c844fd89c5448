"""The root of Troth's error tree. Each room has a small branch of its own."""


class TrothError(Exception):
    """Something Troth refuses or cannot do.

    `str(error)` is for people and never carries personal data. `mend` says what to do about it; `retry` says whether
    trying the same again later can help.
    """

    retry: bool = False

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.mend = mend
