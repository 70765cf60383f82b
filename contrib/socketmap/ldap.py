#!/usr/bin/python3
# Answers socketmap requests, as Postfix and mailsetup send them, from a directory: for each name of a
# map, one search by the program ldapsearch, of the package ldap-utils.
#
# Where:  /usr/local/lib/mailsetup/socketmap-ldap.py, started by socketmap-ldap.service beside this
#         file. The socket's group may connect; its owner is the user of this process.
# Change: SEARCH and MAPS. If the directory asks for a password: add "-D", the name, "-y" and the path
#         of a file with the password, without a line end.
# Test:   postmap -q ann@example.org socketmap:unix:/run/socketmap-ldap/socket:logins
# Use:    in /etc/mailsetup/config.toml, which must also name your domains
#         [login]
#         socketmap = "unix:/run/socketmap-ldap/socket:logins"
#         timeout_ms = 1000

import base64, os, re, socketserver, subprocess, sys

SEARCH = ["ldapsearch", "-x", "-H", "ldap://127.0.0.1", "-b", "ou=people,dc=example,dc=org"]
# The filter, with the key in place of {}, and the attribute with the answer.
MAPS = {
    "logins": ("(&(objectClass=inetOrgPerson)(mail={}))", "uid"),
}
# One entry is wanted: two are an error. Lines are not folded, and comments are left out.
OPTIONS = ["-LLL", "-o", "ldif-wrap=no", "-o", "nettimeout=2", "-l", "2", "-z", "1"]


def netstring(file):
    """The content of the next netstring, `5:hello,`; None at the end, or if it is none."""
    head = b""
    while (byte := file.read(1)).isdigit() and len(head) < 4:
        head += byte
    if byte != b":" or not head:
        return None
    text = file.read(int(head) + 1)
    return text[:-1].decode(errors="replace") if text.endswith(b",") else None


def escaped(key):
    """The key for a filter, RFC 4515 §3: bytes that are not plain become \\ and two digits."""
    return re.sub(rb"[^A-Za-z0-9@._-]", lambda byte: b"\\%02x" % byte[0][0], key.encode()).decode()


def value(line, attribute):
    """The value of a line of LDIF: `uid: ann`, or `uid:: YW5u` in base64."""
    name, _, rest = line.partition(":")
    if name.lower() != attribute.lower():
        return None
    return base64.b64decode(rest[1:]).decode() if rest.startswith(":") else rest.strip()


def answer(request):
    name, _, key = request.partition(" ")
    if name not in MAPS:
        return "PERM no such map"
    pattern, attribute = MAPS[name]
    # A list, not a line for a shell. A filter begins with a parenthesis, and so is never an option.
    command = SEARCH + OPTIONS + [pattern.replace("{}", escaped(key)), attribute]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5)
        if found.returncode != 0:
            raise OSError(f"exit code {found.returncode}: {found.stderr.strip()}")
        values = (value(line, attribute) for line in found.stdout.splitlines())
        login = next(filter(None, values), None)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        print("ldapsearch:", error, file=sys.stderr, flush=True)
        return "TEMP the search failed"
    return f"OK {login}" if login else "NOTFOUND "


class Connection(socketserver.StreamRequestHandler):
    timeout = 100

    def handle(self):
        try:
            while (request := netstring(self.rfile)) is not None:
                reply = answer(request).encode()
                self.wfile.write(b"%d:%s," % (len(reply), reply))
        except OSError:
            pass  # The client has gone, or was silent for too long.


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    if os.path.exists(sys.argv[1]):
        os.unlink(sys.argv[1])
    os.umask(0o117)  # The mode of the socket is 0660.
    Server(sys.argv[1], Connection).serve_forever()
