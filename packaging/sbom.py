"""Writes the list of the crates in the program as CycloneDX 1.5 JSON, to standard output.

    python3 packaging/sbom.py METADATA TREE LOCK

METADATA is the output of `cargo metadata`, TREE that of `cargo tree --prefix none` for the package of
the program, LOCK is Cargo.lock. TREE says which crates are in the program, itself first: it leaves out
tests, build scripts and procedural macros, and METADATA has also crates that an optional feature or
the other program would need. Licences and dependencies are from METADATA, checksums from LOCK.

The output has no time and no serial number: the same input gives the same bytes. Refuses a crate
without a licence, and one from elsewhere without a checksum. https://cyclonedx.org/docs/1.5/json
"""

import json
import sys
import tomllib
from urllib.parse import quote


def normal_dependencies(node):
    """The ids of the packages that the code of a package uses."""
    return [
        dependency["pkg"]
        for dependency in node["deps"]
        if any(kind["kind"] is None for kind in dependency["dep_kinds"])
    ]


def licences(package):
    """The licence as an SPDX expression; older crates write `MIT/Apache-2.0`."""
    if not package["license"]:
        sys.exit(f"{package['name']} {package['version']} names no licence")
    return [{"expression": " OR ".join(part.strip() for part in package["license"].split("/"))}]


def own(package):
    """The name of a package of this project, which is not in a registry."""
    return f"pkg:generic/{quote(package['name'])}@{quote(package['version'])}"


def component(package, checksums):
    """A crate, with the checksum of its archive at the registry."""
    name, version = package["name"], package["version"]
    if package["source"] is None:
        return {
            "type": "library",
            "bom-ref": own(package),
            "name": name,
            "version": version,
            "licenses": licences(package),
            "purl": own(package),
        }
    if (name, version) not in checksums:
        sys.exit(f"{name} {version} has no checksum in the lock file")
    purl = f"pkg:cargo/{quote(name)}@{quote(version)}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": checksums[name, version]}],
        "licenses": licences(package),
        "purl": purl,
    }


def main(metadata, tree, lock):
    with open(metadata, encoding="utf-8") as file:
        metadata = json.load(file)
    with open(tree, encoding="utf-8") as file:
        # `serde v1.0.229 (*)`
        lines = [tuple(line.replace(" v", " ", 1).split()[:2]) for line in file if line.strip()]
    linked = set(lines)
    with open(lock, "rb") as file:
        locked = tomllib.load(file)["package"]
    checksums = {
        (package["name"], package["version"]): package["checksum"]
        for package in locked
        if "checksum" in package
    }
    packages = {
        package["id"]: package
        for package in metadata["packages"]
        if (package["name"], package["version"]) in linked
    }
    if len(packages) != len(linked):
        sys.exit("cargo tree and cargo metadata do not list the same crates")
    (root,) = (used for used, it in packages.items() if (it["name"], it["version"]) == lines[0])
    uses = {
        node["id"]: [need for need in normal_dependencies(node) if need in packages]
        for node in metadata["resolve"]["nodes"]
        if node["id"] in packages
    }

    program = packages[root]
    purl = own(program)
    refs = {root: purl}
    components = []
    for used, package in packages.items():
        if used != root:
            components.append(component(package, checksums))
            refs[used] = components[-1]["purl"]
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "pre-build"}],
            "component": {
                "type": "application",
                "bom-ref": purl,
                "name": program["name"],
                "version": program["version"],
                "licenses": licences(program),
                "purl": purl,
            },
        },
        "components": sorted(components, key=lambda component: component["bom-ref"]),
        "dependencies": sorted(
            (
                {"ref": refs[user], "dependsOn": sorted({refs[need] for need in needs})}
                for user, needs in uses.items()
            ),
            key=lambda dependency: dependency["ref"],
        ),
    }
    print(json.dumps(bom, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
