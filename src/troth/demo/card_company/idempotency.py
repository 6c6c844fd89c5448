"""Idempotency keys: the answer to a key's first call is the answer to all that follow, for a day.

Only answers of calls that began are kept: what failed on its parameters, its key or a limit may be tried again.
"""

from troth.demo.card_company.account import Account
from troth.demo.card_company.errors import ApiError

_KEPT_SECONDS = 86400
_LONGEST = 255


def begin(account: Account, key: str, path: str, fingerprint: bytes) -> tuple[int, str] | None:
    """Reserve a key. Return status and body if it has an answer. Raises `ApiError` if it may not be used for this."""
    if len(key) > _LONGEST:
        raise ApiError(f"Idempotency keys have up to {_LONGEST} characters.", type="idempotency_error")
    account.storage.run("DELETE FROM answers WHERE created < ?", account.now() - _KEPT_SECONDS)
    rows = account.storage.rows("SELECT fingerprint, path, status, body FROM answers WHERE key = ?", key)
    if not rows:
        account.storage.run(
            "INSERT INTO answers (key, fingerprint, path, created) VALUES (?, ?, ?, ?)",
            key,
            fingerprint,
            path,
            account.now(),
        )
        return None
    before, first_path, status, body = rows[0]
    if before != fingerprint:
        same = "parameters" if first_path == path else f"endpoint ('{first_path}')"
        raise ApiError(
            f"Keys for idempotent requests can only be used with the same {same} they were first used with. Try using a"
            f" key other than '{key}' if you meant to execute a different request.",
            type="idempotency_error",
        )
    if status is None:
        raise ApiError(
            f"There is currently another in-progress request using this Idempotent Key: {key}",
            status=409,
            type="idempotency_error",
            code="idempotency_key_in_use",
        )
    return int(status), str(body)


def keep(account: Account, key: str, status: int, body: str) -> None:
    """Remember the answer."""
    account.storage.run("UPDATE answers SET status = ?, body = ? WHERE key = ?", status, body, key)


def forget(account: Account, key: str) -> None:
    """Let the key be used anew."""
    account.storage.run("DELETE FROM answers WHERE key = ? AND status IS NULL", key)
