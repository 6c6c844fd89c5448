"""The leak index at 1,000,000 people: its size, its memory, how fast it reads, and whether it cries for nothing.

    python -m bench.leaks [PEOPLE] [TEXT-FOLDER]

Makes marks of people with e-mail address and name (names from common ones, many of them English words), then reads text
that was not written for them: Python's own library, or the folder given. A file that names a real person of the same
name as an invented one is held, and rightly so. Prints one JSON line.
"""

import json
import random
import resource
import sys
import sysconfig
import tempfile
import time
import uuid
from hashlib import sha256
from itertools import batched
from pathlib import Path

from troth.core.personal import EmailAddress, PersonName
from troth.gate.leak_check import Leaks
from troth.vault.leak_marks import Marks
from troth.vault.records import Details

GOAL_MB_S, GOAL_MB = 4.0, 200
TEXT_MB = 40
_FIRST = (
    "Mary James Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan "
    "Joseph Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark "
    "Ashley Donald Emily Steven Kimberly Andrew Margaret Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda "
    "Brian Melissa Will Grace May June Art Bill Frank Rose Hope Faith Joy Dawn Guy Grant Chase Drew Pat Sue "
    "Jack Max Page Jean-Luc Zoë Jürgen Søren François Anna Ada Lena Mia Noah Ben Leon Paula Clara Emma Olga "
    "Ivan Dmitri Yuki Hiroshi Wei Ling Priya Arjun Fatima Omar Aisha "
).split()
_LAST = (
    "Smith Johnson Brown Jones Garcia Miller Davis Martin Lee White Harris Clark Lewis Walker Hall Young King "
    "Wright Hill Green Baker Carter Turner Parker Cook Bell Cooper Reed Ward Gray Price Bennett Wood Long "
    "Foster Powell Page Fields Stone Black Rice Day Hunt Palmer Mills Grant Knight Rose Stone Hunter Fox Cross "
    "Field Park Bond Marsh Cole Case Best Müller Schmidt Schneider Fischer Weber O'Brien Lovelace García-López "
    "Nguyễn Tanaka Suzuki Kumar Singh Haddad Ivanova "
).split()
_ENDS = ("mann", "son", "er", "berg", "ov", "ski", "feld", "ton", "ley", "sen", "ez", "ini")
_SYLLABLES = ("ka", "lo", "mi", "re", "tu", "sa", "no", "be", "wi", "do", "ga", "fe", "hu", "jo", "pe", "ri")


def details(number: int, dice: random.Random) -> Details:
    """One invented person."""
    first = dice.choice(_FIRST)
    made = "".join(dice.choices(_SYLLABLES, k=2)).title() + dice.choice(_ENDS)
    last = dice.choice(_LAST) if dice.random() < 0.4 else made
    plain = f"{first}.{last}".encode("ascii", "ignore").decode().lower()
    return Details(email=EmailAddress(f"{plain}{number}@example.com"), name=PersonName(f"{first} {last}"))


def fill(folder: Path, people: int, chunk: int = 5000) -> Marks:
    """Marks of so many people."""
    for purpose in ("administration", "identification"):
        (folder / f"index-{purpose}.key").write_bytes(sha256(purpose.encode()).digest())
    marks, dice = Marks(folder), random.Random(3)
    for some in batched(range(people), chunk):
        marks.put({number: details(number, dice) for number in some})
    return marks


def text(folder: Path, size: int) -> list[bytes]:
    """Up to `size` bytes of text out of `folder`, in its files."""
    found, total = list[bytes](), 0
    for path in sorted(folder.rglob("*")):
        if (
            path.suffix in (".py", ".txt", ".md", ".rst", ".html", "")
            and path.is_file()
            and path.stat().st_size < 1 << 20
        ):
            data = path.read_bytes()
            if b"\0" not in data:
                found.append(data)
                total += len(data)
        if total >= size:
            break
    return found


def resident_mb() -> float:
    """The most memory that this process ever held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    where = Path(sys.argv[2] if len(sys.argv) > 2 else sysconfig.get_path("stdlib"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, begun = resident_mb(), time.perf_counter()
        marks = fill(folder, people)
        filled = time.perf_counter() - begun
        disk = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        leaks = Leaks(marks)
        files, held, size = text(where, TEXT_MB * 1_000_000), 0, 0
        begun = time.process_time()
        for data in files:
            held += not leaks.search(data).clear
            size += len(data)
        took = time.process_time() - begun
        someone = details(0, random.Random(3))
        found = leaks.search(f"Dear {someone.email.reveal()}".encode()).others == {0}
        erase = time.perf_counter()
        marks.forget([people // 2])
        erase = time.perf_counter() - erase
        print(
            json.dumps(
                {
                    "bench": "leaks",
                    "people": people,
                    "fill_s": round(filled, 1),
                    "disk_mb": round(disk, 1),
                    "memory_mb": round(resident_mb() - before, 1),
                    "text_mb": round(size / 1e6, 1),
                    "files": len(files),
                    "files_held": held,
                    "mb_per_s": round(size / 1e6 / took, 2),
                    "finds": found,
                    "erase_ms": round(erase * 1000, 1),
                    "goal": {"mb_per_s": GOAL_MB_S, "mb": GOAL_MB},
                    "run": str(uuid.uuid4())[:8],
                }
            )
        )


if __name__ == "__main__":
    main()
