"""A kernel filter (seccomp) for the system calls that nothing in a sandbox needs.

The filter is passed to bubblewrap as a compiled program, and no library is needed to build it. It rejects
three kinds of calls: those that allocate memory outside the limits of a process, those that act on other
processes, and those into parts of the kernel in which sandbox escapes have been found.
"""

import errno
import platform
import struct
from typing import NamedTuple

INSTRUCTION = struct.Struct("=HBBI")
"""Code, jump if true, jump if false, constant: `struct sock_filter` of the kernel."""
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
"""Offsets in `struct seccomp_data`; only the lower half of an argument counts, and it comes first."""
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
X32_FIRST = 0x40000000
"""First number of the x32 calls on x86-64, which would otherwise bypass every rule."""
CLONE_THREAD = 0x00010000


class Calls(NamedTuple):
    """The system call numbers of an architecture.

    Attributes:
        audit: Number of the architecture in the kernel's `audit.h`.
        clone: Number of the call that starts threads, which are allowed, and processes, which are not.
        refused: Numbers of the rejected calls, by name.
    """

    audit: int
    clone: int
    refused: dict[str, int]


# fmt: off
SAME_EVERYWHERE = {
    "clone3": 435, "memfd_secret": 447, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "pidfd_getfd": 438, "process_madvise": 440, "move_mount": 429,
    "open_tree": 428, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
    "quotactl_fd": 443,
}
"""Since 2019, new calls have had the same number on all architectures."""
MACHINES = {
    "x86_64": Calls(0xC000003E, 56, SAME_EVERYWHERE | {
        "fork": 57, "vfork": 58, "memfd_create": 319, "shmget": 29, "shmat": 30, "shmctl": 31,
        "semget": 64, "semop": 65, "semtimedop": 220, "msgget": 68, "msgsnd": 69, "msgrcv": 70,
        "mq_open": 240, "socket": 41, "socketpair": 53, "mlock": 149, "mlockall": 151, "mlock2": 325,
        "timer_create": 222, "inotify_init": 253, "inotify_init1": 294, "fanotify_init": 300,
        "userfaultfd": 323, "bpf": 321, "perf_event_open": 298, "ptrace": 101, "process_vm_readv": 310,
        "process_vm_writev": 311, "kcmp": 312, "keyctl": 250, "add_key": 248, "request_key": 249,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
        "kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313,
        "delete_module": 176, "reboot": 169, "swapon": 167, "swapoff": 168, "syslog": 103, "acct": 163,
        "quotactl": 179, "settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305, "adjtimex": 159,
        "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "modify_ldt": 154,
        "personality": 135, "name_to_handle_at": 303, "open_by_handle_at": 304, "vmsplice": 278,
        "splice": 275, "tee": 276, "vhangup": 153, "migrate_pages": 256, "move_pages": 279,
    }),
    "aarch64": Calls(0xC00000B7, 220, SAME_EVERYWHERE | {
        "memfd_create": 279, "shmget": 194, "shmat": 196, "shmctl": 195, "semget": 190, "semop": 193,
        "semtimedop": 192, "msgget": 186, "msgsnd": 189, "msgrcv": 188, "mq_open": 180, "socket": 198,
        "socketpair": 199, "mlock": 228, "mlockall": 230, "mlock2": 284, "timer_create": 107,
        "inotify_init1": 26, "fanotify_init": 262, "userfaultfd": 282, "bpf": 280, "perf_event_open": 241,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "keyctl": 219,
        "add_key": 217, "request_key": 218, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
        "unshare": 97, "setns": 268, "kexec_load": 104, "kexec_file_load": 294, "init_module": 105,
        "finit_module": 273, "delete_module": 106, "reboot": 142, "swapon": 224, "swapoff": 225,
        "syslog": 116, "acct": 89, "quotactl": 60, "settimeofday": 170, "clock_settime": 112,
        "clock_adjtime": 266, "adjtimex": 171, "sethostname": 161, "setdomainname": 162,
        "personality": 92, "name_to_handle_at": 264, "open_by_handle_at": 265, "vmsplice": 75,
        "splice": 76, "tee": 77, "vhangup": 58, "migrate_pages": 238, "move_pages": 239,
    }),
}
# fmt: on
"""The architectures with a filter; the numbers are from the kernel's `unistd.h` for each."""
ANSWERS = {
    "clone3": errno.ENOSYS,  # A filter cannot read this call's flags; libraries fall back to `clone`.
    "fork": errno.EAGAIN,
    "vfork": errno.EAGAIN,
}
"""The error for a rejected call, if it isn't `EPERM`."""


def filter_program(machine: str | None = None) -> bytes:
    """The filter in the format of bubblewrap's option `--seccomp`.

    Args:
        machine: Architecture; by default this machine's.

    Returns:
        The compiled filter; empty for an architecture whose call numbers are unknown.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return b""
    calls = MACHINES[machine]
    program = [(LOAD, 0, 0, MACHINE_AT), (EQUAL, 1, 0, calls.audit), (RETURN, 0, 0, KILL)]
    program += [(LOAD, 0, 0, NUMBER_AT)]
    program += [(AT_LEAST, 0, 1, X32_FIRST), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    for name, number in calls.refused.items():
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | ANSWERS.get(name, errno.EPERM))]
    program += [(EQUAL, 0, 3, calls.clone), (LOAD, 0, 0, FIRST_ARGUMENT_AT), (ANY_BIT, 1, 0, CLONE_THREAD)]
    program += [(RETURN, 0, 0, REFUSE | errno.EAGAIN), (RETURN, 0, 0, ALLOW)]
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in program)
