"""Prints the crates that are recorded in a program, or compares them with a list of crates.

    python3 packaging/auditable.py PROGRAM
    python3 packaging/auditable.py PROGRAM LIST

A build by `cargo auditable` records them in the section .dep-v0: JSON, compressed by zlib. LIST is
the CycloneDX file of `make dist`. Refuses a program without that section, one that is not ELF with
64 bits in the order of x86, and, with LIST, one that does not record all crates of it. It can record
more: `cargo metadata`, on which it is based, has also crates that a test needs of a dependency.
Crates that only the build used (macros, build scripts) are printed with that word, and not compared.
https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md
"""

import json
import struct
import sys
import zlib


def section(program, wanted):
    """The content of a section of an ELF file; none if it is not there."""
    if program[:6] != b"\x7fELF\x02\x01":
        sys.exit("not an ELF file with 64 bits in the order of x86")
    start = struct.unpack_from("<Q", program, 40)[0]
    size, count, names = struct.unpack_from("<3H", program, 58)
    # Of each: where its name is, the offset and the length of its content.
    headers = [struct.unpack_from("<I20xQQ", program, start + size * n) for n in range(count)]
    for name, offset, length in headers:
        name += headers[names][1]
        if program[name : program.index(b"\0", name)] == wanted:
            return program[offset : offset + length]
    return None


def main(program, bill=None):
    with open(program, "rb") as file:
        content = section(file.read(), b".dep-v0")
    if content is None:
        sys.exit(f"{program} has no list of crates: it was not built by cargo auditable")
    crates = json.loads(zlib.decompress(content))["packages"]
    if bill is None:
        for crate in crates:
            print(crate["name"], crate["version"], *[kind for kind in [crate.get("kind")] if kind])
        return
    recorded = {(it["name"], it["version"]) for it in crates if it.get("kind") != "build"}
    with open(bill, encoding="utf-8") as file:
        bill = json.load(file)
    listed = {(it["name"], it["version"]) for it in bill["components"]}
    listed.add((bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"]))
    for name, version in sorted(recorded - listed):
        print(f"recorded, but not in the list: {name} {version}")
    for name, version in sorted(listed - recorded):
        print(f"not recorded: {name} {version}", file=sys.stderr)
    if listed - recorded:
        sys.exit(1)
    print(f"the program records all {len(listed)} crates of the list")


main(*sys.argv[1:])
