#!/usr/bin/python3
"""Starts a program with the restrictions of a systemd unit, and stricter: a refused system call
ends the program with SIGSYS instead of an error that could remain unnoticed.

    confined.py UNIT PROGRAM [ARGUMENT...]

Enforced are the unit's system calls (SystemCallFilter=), its address families
(RestrictAddressFamilies=), no memory both writable and executable (MemoryDenyWriteExecute=), and no
file opened for writing (ProtectSystem=strict) except /dev/null. systemd itself lists the calls, and
its library, libseccomp, creates the filter. Units whose lists begin with forbidden calls are not
supported.
"""

import mmap
import os
import re
import socket
import subprocess
import sys

import seccomp
from seccomp import ALLOW, EQ, KILL_PROCESS, MASKED_EQ, Arg


def calls(name):
    """The system calls of a set like @system-service, or the one call of that name."""
    if not name.startswith("@"):
        return {name}
    # It reports itself to a service manager (seen: systemd 257), which is not wanted here.
    environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
    analyze = ["systemd-analyze", "syscall-filter", name]
    listing = subprocess.run(
        analyze, check=True, capture_output=True, text=True, env=environment
    ).stdout
    words = [line.split("#")[0].strip() for line in listing.splitlines()[1:]]
    return set().union(*(calls(word) for word in words if word))


def settings(unit, key):
    return re.findall(rf"^{key}=(.*)$", open(unit).read(), re.MULTILINE)


def main():
    unit, program = sys.argv[1], sys.argv[2:]
    allowed = set()
    for line in settings(unit, "SystemCallFilter"):
        named = set().union(*(calls(word) for word in line.lstrip("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    families = [getattr(socket, name) for name in " ".join(settings(unit, "RestrictAddressFamilies")).split()]
    assert allowed and families, f"{unit} restricts nothing"
    assert settings(unit, "MemoryDenyWriteExecute") == ["yes"]
    assert settings(unit, "ProtectSystem") == ["strict"]

    by_argument = {
        "socket": [[Arg(0, EQ, family)] for family in families],
        "mmap": [
            [Arg(2, MASKED_EQ, mmap.PROT_WRITE | mmap.PROT_EXEC, protection)]
            for protection in (0, mmap.PROT_WRITE, mmap.PROT_EXEC)
        ],
        "mprotect": [[Arg(2, MASKED_EQ, mmap.PROT_EXEC, 0)]],
        # musl calls open, glibc openat.
        "open": [[Arg(1, MASKED_EQ, os.O_ACCMODE | os.O_CREAT, os.O_RDONLY)]],
        "openat": [[Arg(2, MASKED_EQ, os.O_ACCMODE | os.O_CREAT, os.O_RDONLY)]],
    }
    filter = seccomp.SyscallFilter(KILL_PROCESS)
    for name in sorted(allowed - {"openat2", "creat"}):
        try:
            number = seccomp.resolve_syscall(seccomp.Arch(), name)
        except Exception:
            number = -1
        # Calls of other architectures have no number here, or a pseudo number.
        if number < 0:
            continue
        for arguments in by_argument.get(name, [[]]):
            filter.add_rule(ALLOW, name, *arguments)
    sys.stdout.flush()
    filter.load()
    os.execv(program[0], program)


main()
