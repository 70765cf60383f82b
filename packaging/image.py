"""Writes an image for containers around the static program, without a daemon and without a network.

    SOURCE_DATE_EPOCH=1764201600 python3 packaging/image.py PROGRAM FOLDER

The archive, mailsetup-VERSION-PLATFORM.oci.tar in the folder, is an OCI image layout in a tar file (`oci-archive`), which podman, skopeo, buildah and
containerd load. It also has the manifest.json of `docker save`, for Docker before version 25. The
same program and the same time give the same bytes. The image holds the program, an empty folder for
the configuration, and the licences; it has no shell and no library.

Refuses a program that is not a static ELF file, and one for a platform without a name in OCI.
https://github.com/opencontainers/image-spec/blob/v1.1.0/spec.md
"""

import hashlib
import io
import json
import os
import struct
import sys
import tarfile
import time
import tomllib

# Both ports are above 1024, so that no capability is needed.
HTTP_PORT = 8025
FASTCGI_PORT = 9000
# Not root; the number that other images without a shell use. It needs no name.
USER = "65532:65532"
SECOND = 1_000_000_000

# e_machine of ELF, and the name of the platform (GOARCH).
PLATFORMS = {3: "386", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64", 21: "ppc64le", 22: "s390x"}
PROGRAM_HEADER_INTERP = 3


def platform(program):
    """The name of the program's platform."""
    if program[:4] != b"\x7fELF":
        sys.exit("the program is not an ELF file")
    is_64, order = program[4] == 2, "<" if program[5] == 1 else ">"
    (machine,) = struct.unpack_from(f"{order}H", program, 18)
    offset, size, count = (
        struct.unpack_from(f"{order}Q", program, 32) + struct.unpack_from(f"{order}HH", program, 54)
        if is_64
        else struct.unpack_from(f"{order}I", program, 28) + struct.unpack_from(f"{order}HH", program, 42)
    )
    for number in range(count):
        (kind,) = struct.unpack_from(f"{order}I", program, offset + number * size)
        if kind == PROGRAM_HEADER_INTERP:
            sys.exit("the program needs a dynamic loader, which the image does not have: make static")
    if machine not in PLATFORMS:
        sys.exit(f"the program is for machine {machine}, which has no name here")
    return PLATFORMS[machine]


def tar(entries, when):
    """A tar file with (name, mode, content) entries; a folder has no content."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name, mode, content in entries:
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode = when, mode
            if content is None:
                entry.type = tarfile.DIRTYPE
                file.addfile(entry)
            else:
                entry.size = len(content)
                file.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def blob(media_type, content):
    """A descriptor of the content."""
    digest = hashlib.sha256(content).hexdigest()
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def to_json(value):
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def main():
    _, path, folder = sys.argv
    when = int(os.environ["SOURCE_DATE_EPOCH"])
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    read = lambda name: open(os.path.join(root, name), "rb").read()
    package = tomllib.loads(read("Cargo.toml").decode())["package"]
    program = open(path, "rb").read()
    architecture = platform(program)
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
    reference = f"localhost/mailsetup:{package['version']}"

    layer = tar(
        [
            ("etc/", 0o755, None),
            ("etc/mailsetup/", 0o755, None),
            ("usr/", 0o755, None),
            ("usr/bin/", 0o755, None),
            ("usr/bin/mailsetup", 0o755, program),
            ("usr/share/", 0o755, None),
            ("usr/share/doc/", 0o755, None),
            ("usr/share/doc/mailsetup/", 0o755, None),
            ("usr/share/doc/mailsetup/LICENSE-APACHE", 0o644, read("LICENSE-APACHE")),
            ("usr/share/doc/mailsetup/LICENSE-MIT", 0o644, read("LICENSE-MIT")),
        ],
        when,
    )
    layer_blob = blob("application/vnd.oci.image.layer.v1.tar", layer)
    config = to_json(
        {
            "created": created,
            "architecture": architecture,
            "os": "linux",
            "config": {
                "User": USER,
                "ExposedPorts": {f"{HTTP_PORT}/tcp": {}, f"{FASTCGI_PORT}/tcp": {}},
                "Entrypoint": ["/usr/bin/mailsetup"],
                "Cmd": [
                    "serve",
                    "--http",
                    f"0.0.0.0:{HTTP_PORT}",
                    "--listen",
                    f"0.0.0.0:{FASTCGI_PORT}",
                ],
                "WorkingDir": "/",
                "StopSignal": "SIGTERM",
                # Not a field of OCI, which lets programs ignore it; Docker and podman use it.
                "Healthcheck": {
                    "Test": ["CMD", "/usr/bin/mailsetup", "health"],
                    "Interval": 30 * SECOND,
                    "Timeout": 5 * SECOND,
                    "StartPeriod": 5 * SECOND,
                    "Retries": 3,
                },
                "Labels": {
                    "org.opencontainers.image.created": created,
                    "org.opencontainers.image.description": package["description"],
                    "org.opencontainers.image.licenses": package["license"],
                    "org.opencontainers.image.title": "mailsetup",
                    "org.opencontainers.image.version": package["version"],
                },
            },
            "rootfs": {"type": "layers", "diff_ids": [layer_blob["digest"]]},
            "history": [{"created": created, "created_by": "packaging/image.py"}],
        }
    )
    config_blob = blob("application/vnd.oci.image.config.v1+json", config)
    manifest = to_json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config_blob,
            "layers": [layer_blob],
        }
    )
    manifest_blob = blob("application/vnd.oci.image.manifest.v1+json", manifest)
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                **manifest_blob,
                "platform": {"architecture": architecture, "os": "linux"},
                "annotations": {
                    # The name for podman and skopeo, and the one for Docker with containerd.
                    "org.opencontainers.image.ref.name": reference,
                    "io.containerd.image.name": reference,
                },
            }
        ],
    }
    at = lambda descriptor: "blobs/sha256/" + descriptor["digest"].partition(":")[2]
    docker = [{"Config": at(config_blob), "RepoTags": [reference], "Layers": [at(layer_blob)]}]
    blobs = [(config_blob, config), (layer_blob, layer), (manifest_blob, manifest)]
    archive = tar(
        [
            ("oci-layout", 0o644, to_json({"imageLayoutVersion": "1.0.0"})),
            ("index.json", 0o644, to_json(index)),
            ("manifest.json", 0o644, to_json(docker)),
            ("blobs/", 0o755, None),
            ("blobs/sha256/", 0o755, None),
        ]
        + sorted((at(descriptor), 0o644, content) for descriptor, content in blobs),
        when,
    )
    target = os.path.join(folder, f"mailsetup-{package['version']}-{architecture}.oci.tar")
    with open(target, "wb") as file:
        file.write(archive)
    print(target)


main()
