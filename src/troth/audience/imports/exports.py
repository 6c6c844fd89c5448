"""Imports the exports of other analytics programs. May touch: this room's tables, by `audience.imports.days`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from troth.audience.imports import goatcounter, log_files, plausible
from troth.audience.imports.counted_day import CountedDay, Tell
from troth.audience.imports.days import Given, ImportContext, ImportOutcome, Plan, plan, write
from troth.audience.imports.log_files import LogError

NAMES = {"goatcounter": "a GoatCounter export", "plausible": "a Plausible export"}


@dataclass(slots=True)
class ExaminedExport:
    """An export that was read, and the plan for importing it."""

    path: Path
    export: goatcounter.GoatCounterExport | plausible.PlausibleExport
    plan: Plan

    @property
    def file(self) -> Given:
        """Return the file with its days."""
        return self.export.file

    @property
    def unread(self) -> list[str]:
        """Return the tables that this version does not read."""
        return sorted(set(self.export.unread)) if isinstance(self.export, plausible.PlausibleExport) else []

    @property
    def lacks(self) -> tuple[str, ...]:
        """Return what the export does not contain."""
        return goatcounter.LACKS if self.file.kind == "goatcounter" else plausible.LACKS


def kind_of(path: Path) -> str:
    """Return which program exported a file, or an empty string. Raises `LogError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            if plausible.is_one(file.read(4)):
                return "plausible"
        with log_files.opened(path, packed=log_files.is_packed(path)) as content:
            return "goatcounter" if goatcounter.is_one(content.read(200)) else ""
    except OSError:
        raise LogError(f"{path} cannot be read.", mend="Check the path, and that this user may read it.") from None


def examine(path: Path, kind: str, ground: ImportContext, *, also: bool = False, tell: Tell) -> ExaminedExport:
    """Read an export and plan its import. Writes nothing. Raises `LogError`."""
    read = goatcounter.read if kind == "goatcounter" else plausible.read
    export = read(path, ground, tell)
    return ExaminedExport(path, export, plan([export.file], ground, also=also))


def carry_out(job: ExaminedExport, ground: ImportContext, *, dry_run: bool) -> ImportOutcome:
    """Import an export, day by day. `dry_run`: write nothing."""
    result = ImportOutcome()
    write(_days(job, ground, result), job.plan, [job.file], [job.export.lines], ground, result, dry_run=dry_run)
    return result


def _days(job: ExaminedExport, ground: ImportContext, result: ImportOutcome) -> Iterator[CountedDay]:
    if isinstance(job.export, goatcounter.GoatCounterExport):
        return goatcounter.days(job.export, job.plan, ground, result.counts)
    return plausible.days(job.export, job.plan, ground, result.counts)
