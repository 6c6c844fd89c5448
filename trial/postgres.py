"""A throwaway PostgreSQL on loopback, which can be stopped hard and started again.

PostgreSQL refuses to run as root: where we are, it runs as the user `postgres` that its package makes.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg

from bench.site import free_port

_SETTINGS = "listen_addresses = '127.0.0.1'\nmax_connections = 30\nshared_buffers = 64MB\n"


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl`: the newest that the system has."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


class Postgres:
    """The server; `url` is how Troth reaches it. With `keep`, a folder, it is left there and found again next time.

    Without `fsync` it is quicker and outlives its own death, not the machine's: never where that is what is tried.
    """

    def __init__(self, keep: Path | None = None, *, fsync: bool = True) -> None:
        tools = binaries()
        if tools is None:
            raise FileNotFoundError("PostgreSQL's binaries are not installed (Debian: postgresql)")
        self._tools = tools
        self._kept = keep is not None
        self._folder = keep or Path(tempfile.mkdtemp(prefix="troth-postgres-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._settings = f"{_SETTINGS}fsync = {'on' if fsync else 'off'}\n"
        self.url = self.at("postgres")

    def _run(self, tool: str, *arguments: str) -> None:
        command = [str(self._tools / tool), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as)

    def __enter__(self) -> Self:
        if not (self._folder / "data").exists():
            self._run("initdb", "-U", "troth", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
        with (self._folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(f"{self._settings}port = {self._port}\nunix_socket_directories = '{self._folder}'\n")
        self.start()
        return self

    def at(self, name: str) -> str:
        """How Troth reaches the database of this name."""
        return f"postgresql://troth@127.0.0.1:{self._port}/{name}"

    def execute(self, *statements: LiteralString) -> None:
        """Say it to the server itself: databases are made and dropped from outside them."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def start(self) -> None:
        """Start and wait until it answers."""
        self._run("pg_ctl", "-w", "-s", "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """Stop at once, as a power cut would."""
        self._run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._kept:
            self._run("pg_ctl", "-w", "-s", "-m", "fast", "stop")
            return
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
