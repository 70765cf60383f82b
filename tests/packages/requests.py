#!/usr/bin/python3
"""FastCGI requests on a unix socket, as a web server sends them.

    requests.py SOCKET PATH       one request; prints the response
    requests.py SOCKET PATH loop  one after another until SIGTERM; exits with 1 if one of them was
                                  refused or not answered with 200, and prints how many there were
"""

import signal
import socket
import struct
import sys


def record(kind, content=b""):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def pair(name, value):
    lengths = b"".join(struct.pack(">I", len(text) | 1 << 31) for text in (name, value))
    return lengths + name + value


def request(path, target):
    """Sends a GET request; returns the header and the body."""
    uri = target.encode()
    parameters = b"".join([
        pair(b"REQUEST_METHOD", b"GET"),
        pair(b"REQUEST_URI", uri),
        pair(b"QUERY_STRING", uri.partition(b"?")[2]),
        pair(b"HTTP_HOST", b"autoconfig.example.org"),
        pair(b"SERVER_PROTOCOL", b"HTTP/1.1"),
    ])
    begin = struct.pack(">HB5x", 1, 0)
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(20)
        stream.connect(path)
        stream.sendall(record(1, begin) + record(4, parameters) + record(4) + record(5))
        received = b""
        while part := stream.recv(65536):
            received += part
    response, at = b"", 0
    while at < len(received):
        kind, length, padding = struct.unpack(">xBxxHBx", received[at:at + 8])
        if kind == 6:
            response += received[at + 8:at + 8 + length]
        at += 8 + length + padding
    header, _, body = response.partition(b"\r\n\r\n")
    return header, body


def main():
    path, target = sys.argv[1:3]
    if sys.argv[3:] != ["loop"]:
        sys.stdout.buffer.write(request(path, target)[1])
        return
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    sent, faults = 0, []
    while not stopped:
        sent += 1
        try:
            header, _ = request(path, target)
            if b"status:" in header.lower() and b"Status: 200" not in header or not header:
                faults.append(f"request {sent}: {header!r}")
        except OSError as error:
            faults.append(f"request {sent}: {error}")
    print(f"{sent} requests, {len(faults)} without a response")
    if faults or not sent:
        sys.exit("\n".join(faults[:10]))


main()
