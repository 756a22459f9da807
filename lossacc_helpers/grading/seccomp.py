"""System calls that a submission may not make, as a filter that Linux checks (classic BPF, for bubblewrap).

Most are refused because they would undo the sandbox: new namespaces, mounts, other processes' memory, another core than
the one given. The others hold memory that no limit on a process counts: memory without a file or a mapping.
"""

import platform
import struct

_NUMBERS = {
    "x86_64": {
        "add_key": 248, "bpf": 321, "chroot": 161, "io_uring_setup": 425, "keyctl": 250, "memfd_create": 319,
        "memfd_secret": 447, "mount": 165, "open_by_handle_at": 304, "perf_event_open": 298, "pivot_root": 155,
        "process_vm_readv": 310, "process_vm_writev": 311, "ptrace": 101, "request_key": 249, "sched_setaffinity": 203,
        "setns": 308, "shmget": 29, "umount2": 166, "unshare": 272, "userfaultfd": 323,
        "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "msgget": 68, "semget": 64,
    },
    "aarch64": {
        "add_key": 217, "bpf": 280, "chroot": 51, "io_uring_setup": 425, "keyctl": 219, "memfd_create": 279,
        "memfd_secret": 447, "mount": 40, "open_by_handle_at": 265, "perf_event_open": 241, "pivot_root": 41,
        "process_vm_readv": 270, "process_vm_writev": 271, "ptrace": 117, "request_key": 218, "sched_setaffinity": 122,
        "setns": 268, "shmget": 194, "umount2": 39, "unshare": 97, "userfaultfd": 282,
        "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "msgget": 186, "semget": 190,
    },
}  # fmt: skip
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435  # its flags lie in memory, where no filter sees them; libraries then use clone
_NEW_USER_NAMESPACE = 0x10000000
_OTHER_ABI = 0x40000000  # x86_64's x32: the same calls by other numbers

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _UNKNOWN, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000  # EPERM, ENOSYS


def program() -> bytes:
    """Return the filter for this machine's processor.

    Raises
    ------
    NotImplementedError
        For processors other than x86_64 and aarch64.
    """
    machine = platform.machine()
    if machine not in _NUMBERS:
        raise NotImplementedError(f"no list of system calls for the processor {machine}")
    lines = [
        (_LOAD, 0, 0, 4),  # the architecture
        (_EQUAL, 1, 0, _ARCHITECTURE[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # the call's number
        (_AT_LEAST, 0, 1, _OTHER_ABI),
        (_RETURN, 0, 0, _KILL),
    ]
    for number in sorted(_NUMBERS[machine].values()):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    lines += [
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
        (_EQUAL, 0, 3, _CLONE[machine]),
        (_LOAD, 0, 0, 16),  # its first argument, the flags
        (_ANY_BIT, 0, 1, _NEW_USER_NAMESPACE),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)
