"""Asks mailsetup-probe for a login on a terminal: python3 terminal.py PROGRAM type|interrupt|terminate

Prints one line of JSON: whether echo was off at the prompt and on at the end, what was shown, and the
exit status.
"""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

program, how = sys.argv[1:]
terminal, own = pty.openpty()


def echo():
    return bool(termios.tcgetattr(own)[3] & termios.ECHO)


# No DNS server is there: the run ends behind the prompt.
arguments = [program, "ann@example.org", "--login", "--dns", "127.0.0.1:1", "--timeout", "1"]
child = subprocess.Popen(
    ["setsid", "--ctty", *arguments], stdin=own, stdout=own, stderr=own, env={**os.environ, "TERM": "dumb"}
)
shown = b""
deadline = time.monotonic() + 10
silent = False
sent = False
while time.monotonic() < deadline and child.poll() is None:
    if select.select([terminal], [], [], 0.05)[0]:
        shown += os.read(terminal, 4096)
    if b"Password of" in shown and not sent and not echo():
        silent = sent = True
        if how == "type":
            os.write(terminal, b"hunter2\n")
        elif how == "interrupt":
            os.write(terminal, b"\x03")
        else:
            os.kill(child.pid, signal.SIGTERM)
while select.select([terminal], [], [], 0.05)[0]:
    shown += os.read(terminal, 4096)
if child.poll() is None:
    child.kill()
print(json.dumps({"silent": silent, "echo": echo(), "shown": shown.decode(), "status": child.wait()}))
