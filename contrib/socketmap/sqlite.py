#!/usr/bin/python3
# Answers socketmap requests, as Postfix and mailsetup send them, from a database of SQLite: for each
# name of a map, the statement below with the key in place of its question mark.
#
# Where:  /usr/local/lib/mailsetup/socketmap-sqlite.py, started by socketmap-sqlite.service beside
#         this file. The socket's group may connect; its owner is the user of this process.
# Change: DATABASE and MAPS. The database must be readable for the user of the service.
# Test:   postmap -q ann@example.org socketmap:unix:/run/socketmap-sqlite/socket:logins
# Use:    in /etc/mailsetup/config.toml, which must also name your domains
#         [login]
#         socketmap = "unix:/run/socketmap-sqlite/socket:logins"

import os, socketserver, sqlite3, sys

DATABASE = "file:/var/lib/mail/users.sqlite?mode=ro"
MAPS = {
    "logins": "SELECT login FROM users WHERE email = ?",
}


def netstring(file):
    """The content of the next netstring, `5:hello,`; None at the end, or if it is none."""
    head = b""
    while (byte := file.read(1)).isdigit() and len(head) < 4:
        head += byte
    if byte != b":" or not head:
        return None
    text = file.read(int(head) + 1)
    return text[:-1].decode(errors="replace") if text.endswith(b",") else None


def answer(request):
    name, _, key = request.partition(" ")
    if name not in MAPS:
        return "PERM no such map"
    try:
        database = sqlite3.connect(DATABASE, uri=True, timeout=0.2)
        try:
            row = database.execute(MAPS[name], (key,)).fetchone()
        finally:
            database.close()
    except sqlite3.Error as error:
        print("sqlite:", error, file=sys.stderr, flush=True)
        return "TEMP the database does not answer"
    return f"OK {row[0]}" if row and row[0] else "NOTFOUND "


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
