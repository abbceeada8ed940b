"""Runs a command in an image's root file system, confined like a cluster's container.

Requires root, on Linux. The command gets its own mount namespace and, if wanted, its own process namespace,
whose processes end with the command. The image's root replaces the root of the mount namespace before chroot:
after chroot alone, the kernel does not allow user namespaces, and Buildah needs one. Capabilities and user
are set by `capsh` from outside, so that the root may be of another architecture. The command shares the
machine's network, and gets no seccomp filter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brakepoint.rollout.confinement import Confinement

ENTER = """
set -eu
layers="$1" scratch="$2" read_only="$3" folder="$4" held="$5" root="$2/root"
shift 5
mount -t overlay -o "lowerdir=$layers,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
  mount --bind --options "$3" "$1" "$root$2"
  shift 3
done
shift
[ -z "$read_only" ] || mount --options remount,bind,ro "$root"
cd "$root"
mount --move . /
set -- capsh --chroot=. $held --shell=/bin/sh -- -c 'cd "$0" && exec "$@"' "$folder" "$@"
if [ "$$" = 1 ]; then "$@"; exit; fi
exec "$@"
"""
"""This shell remains the first process of a process namespace, as root: the kernel kills it together with the
process that made the namespace, and then all others. A process that has changed its user would be spared."""
WHOLE = ("--pid", "--fork", "--kill-child")
ALL_CAPABILITIES = tuple(
    """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
    SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG
    MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
    BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
    """.split()  # noqa: SIM905
)
"""All capabilities of Linux 5.9 and later, from capabilities(7)."""


@dataclass(frozen=True)
class Sandbox:
    """A root file system in which to run commands.

    Attributes:
        layers: Folders that form the file system, uppermost first. They are not modified.
        scratch: Folder that receives all writes, in `upper/`.
        held: User, groups and capabilities of the commands.
        mounts: Paths on this machine that are mounted, by path in the root.
        read_only: The paths in the root whose mounts the command can only read.
        whole: Whether all processes end with the command; if not, the command itself receives the signals.
    """

    layers: tuple[Path, ...]
    scratch: Path
    held: Confinement
    mounts: dict[str, Path] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()
    whole: bool = True

    def command(self, words: Sequence[str], folder: str = "/") -> list[str]:
        """The command line that runs a program in the sandbox.

        Args:
            words: The program, by its path in the root, and its arguments.
            folder: The program's working folder.
        """
        for name in ("upper", "work", "root"):
            (self.scratch / name).mkdir(parents=True, exist_ok=True)
        for there, here in self.mounts.items():
            self._make_mount_point(there.lstrip("/"), here)
        mounts = [
            word
            for there, here in self.mounts.items()
            for word in (str(here), there, "ro" if there in self.read_only else "rw")
        ]
        return [
            *("unshare", "--mount", *(WHOLE if self.whole else ()), "sh", "-c", ENTER, "sh"),
            *(":".join(map(str, self.layers)), str(self.scratch), "yes" if self.held.read_only else ""),
            *(folder, " ".join(held_by(self.held)), *mounts, "--", *words),
        ]

    def _make_mount_point(self, place: str, here: Path) -> None:
        if any((layer / place).exists() for layer in self.layers):
            return
        point = self.scratch / "upper" / place
        if here.is_dir():
            point.mkdir(parents=True, exist_ok=True)
        else:
            point.parent.mkdir(parents=True, exist_ok=True)
            point.touch()


def held_by(held: Confinement) -> list[str]:
    """The `capsh` command that gives a process this confinement."""
    dropped = [f"cap_{name.lower()}" for name in ALL_CAPABILITIES if name not in held.capabilities]
    groups = ",".join(map(str, held.groups))
    return [
        f"--drop={','.join(dropped)}",
        *([] if held.may_gain else ["--no-new-privs"]),
        f"--groups={groups}",
        "--gid=0",
        f"--uid={held.user}",
    ]
