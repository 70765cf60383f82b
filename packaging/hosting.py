"""Makes the archive for shared hosting: what somebody uploads who has only a file manager.

    python3 packaging/hosting.py PROGRAM ARCHIVE.zip

Modes are in the archive, for the file manager that unpacks it. The same program gives the same bytes;
SOURCE_DATE_EPOCH sets the time of the files. A program that needs a library is refused with status 1,
unless ANY_PROGRAM is set: it would not start on an older system.
"""

import os
import struct
import sys
import time
import zipfile

PT_INTERP = 3


def needs_libraries(program: bytes) -> bool:
    """True if the ELF file names an interpreter, which would load them."""
    if program[:4] != b"\x7fELF":
        sys.exit("hosting.py: not a program for Linux")
    is_64, order = program[4] == 2, "<" if program[5] == 1 else ">"
    table, = struct.unpack_from(order + ("Q" if is_64 else "I"), program, 32 if is_64 else 28)
    size, count = struct.unpack_from(order + "HH", program, 54 if is_64 else 42)
    kinds = (struct.unpack_from(order + "I", program, table + at * size)[0] for at in range(count))
    return PT_INTERP in kinds


def main() -> None:
    program_path, archive_path = sys.argv[1:]
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

    def text(path: str) -> bytes:
        with open(os.path.join(root, path), "rb") as file:
            return file.read()

    with open(program_path, "rb") as file:
        program = file.read()
    if needs_libraries(program) and "ANY_PROGRAM" not in os.environ:
        sys.exit("hosting.py: this program needs libraries; build it with `make static`")
    # The first line names the schema, which is not on the server.
    example = text("contrib/config.example.toml").split(b"\n", 1)[1]
    files = [
        (".htaccess", 0o644, text("contrib/apache/htaccess")),
        ("mailsetup.LICENSE-APACHE.txt", 0o644, text("LICENSE-APACHE")),
        ("mailsetup.LICENSE-MIT.txt", 0o644, text("LICENSE-MIT")),
        ("mailsetup.README.txt", 0o644, text("packaging/hosting.txt")),
        ("mailsetup.cgi", 0o755, program),
        ("mailsetup.example.toml", 0o644, example),
    ]
    # The earliest time that the format can store.
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", 315532800))
    moment = time.gmtime(epoch)[:6]
    with zipfile.ZipFile(archive_path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, mode, content in files:
            entry = zipfile.ZipInfo(name, moment)
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)
    print(archive_path)


main()
