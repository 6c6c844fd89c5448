"""`troth systemd`: units that run a site for good, hardened, with backups by the clock and a log that ends.

The supervisor is root only to give each process a user of its own; what it may do beyond that is taken away here. Each
process takes its own fence besides (WALL 1). Making users writes /etc, and the backup folder lies elsewhere: a command
of its own does both before the service begins, with what the service itself may not do. Makes text only. Source:
systemd.exec(5), systemd.service(5), systemd.unit(5), systemd-journald.service(8).
"""

import os
import shlex
import sys
from pathlib import Path

from troth.core.config.sections import Config
from troth.core.disk import write_synced
from troth.core.errors import TrothError
from troth.core.site import Site

_BACKUPS, _UNITS = Path("/var/backups/troth"), Path("/etc/systemd/system")
_HARDENING = """\
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
UMask=0027
LogNamespace=troth
"""

_SERVICE = """\
# {name}, made by `troth systemd`. Put it into /etc/systemd/system, then:
#     systemctl daemon-reload && systemctl enable --now troth.service
[Unit]
Description={name}: newsletter, contact, statistics
Documentation=man:systemd.exec(5)
Wants=network-online.target
After=network-online.target{database}

[Service]
Type=notify
NotifyAccess=main
ExecStartPre=+{troth} serve --prepare --site {site}
ExecStart={troth} serve --site {site}
Restart=on-failure
RestartSec=5
TimeoutStartSec=660
TimeoutStopSec=70
KillMode=mixed
LimitNOFILE=65536
LimitCORE=0
MemorySwapMax=0
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=
NoNewPrivileges=yes
# No ProtectProc=: a proof reads in /proc that each process is confined. Who meets visitors cannot open /proc at all.
{hardening}
[Install]
WantedBy=multi-user.target
"""

_BACKUP_SERVICE = """\
# A backup of {name}, encrypted to its recovery key; started by troth-backup.timer.
[Unit]
Description=Backup of {name}
After=troth.service

[Service]
Type=oneshot
ExecStart={troth} backup {folder} --site {site}
LimitCORE=0
MemorySwapMax=0
Nice=10
IOSchedulingClass=idle
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE
NoNewPrivileges=yes
ProtectProc=invisible
{hardening}
"""

_BACKUP_TIMER = """\
[Unit]
Description=Backups of {name}, every night

[Timer]
OnCalendar=*-*-* 03:10:00
RandomizedDelaySec=20min
Persistent=yes

[Install]
WantedBy=timers.target
"""

_JOURNAL = """\
# The log of troth.service alone: it names no visitor, and it ends. `journalctl --namespace troth` shows it.
# Put it into /etc/systemd.
[Journal]
Storage=persistent
SystemMaxUse=200M
MaxRetentionSec=30day
MaxFileSec=1day
"""


def units(root: Path, config: Config, *, troth: Path | None = None) -> dict[str, str]:
    """The files, by name. `troth`: the command to run; by default the one that runs now. Raises `TrothError`."""
    site = Site(root.resolve())
    folder = Path(config.backup.folder or _BACKUPS)
    told = {
        "name": _plain(f"Troth of {config.site.name}"),
        "site": _path(site.root),
        "folder": _path(folder),
        "troth": _path(troth or _command()),
        "database": " postgresql.service" if config.database.url else "",
    }
    serving = _HARDENING.format(writable=_path(site.root))
    backing_up = _HARDENING.format(writable=f"{_path(site.root)} -{_path(folder)}")
    return {
        "troth.service": _SERVICE.format(**told, hardening=serving),
        "troth-backup.service": _BACKUP_SERVICE.format(**told, hardening=backing_up),
        "troth-backup.timer": _BACKUP_TIMER.format(**told),
        "journald@troth.conf": _JOURNAL,
    }


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write the files into `folder`, which is there. Replaces ours of before."""
    if not folder.is_dir():
        raise TrothError(f"{folder} is no folder.", mend="Name one that is there, such as /etc/systemd/system.")
    for name, text in files.items():
        try:
            write_synced(folder / name, text.encode(), mode=0o644)
        except OSError as error:
            raise TrothError(
                f"{folder / name} cannot be written: {os.strerror(error.errno or 0)}.",
                mend="Run it as root, or name a folder of your own and copy the files.",
            ) from None
    return [folder / name for name in files]


def steps(folder: Path, config: Config) -> list[str]:
    """What root types once the files lie in `folder`: the log's own file has another place, backups want a folder."""
    backups = Path(config.backup.folder or _BACKUPS)
    return [
        f"mv {shlex.quote(str(folder / 'journald@troth.conf'))} /etc/systemd/",
        *([] if backups.is_dir() else [f"mkdir -p -m 700 {shlex.quote(str(backups))}"]),
        *([] if folder == _UNITS else [f"cp {shlex.quote(str(folder))}/troth* {_UNITS}/"]),
        "systemctl daemon-reload",
        "systemctl enable --now troth.service troth-backup.timer",
    ]


def _command() -> Path:
    beside = Path(sys.executable).parent / "troth"
    return beside if beside.exists() else Path(sys.argv[0]).resolve()


def _plain(text: str) -> str:
    """Text for a unit: one line, and no specifier in it."""
    return " ".join(text.split()).replace("%", "%%")


def _path(path: Path) -> str:
    """A path as a unit wants it: quoted where it has spaces. Raises `TrothError` for what no unit can carry."""
    text = str(path).replace("%", "%%")
    if any(ord(char) < 32 or char in "\"'\\$" for char in text):
        raise TrothError(f"{path} has signs in it that a systemd unit cannot carry.", mend="Use a plainer folder.")
    return f'"{text}"' if " " in text else text
