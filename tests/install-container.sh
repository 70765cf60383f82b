#!/bin/sh
# Installs what the tests of the image need: podman with runc, skopeo, and docker-compose, which checks
# the compose files. No service is started.
#
#   sh tests/install-container.sh          install what is missing (Debian, Ubuntu)
#   sh tests/install-container.sh --list   print the packages, one per line
set -eu

needs='
podman:podman
runc:runc
skopeo:skopeo
docker-compose:docker-compose
python3:python3
'

. "$(dirname "$0")/install-packages.sh"

if [ "${1-}" = --list ]; then
    list_packages
    exit 0
fi
install_missing
echo "all tools for containers are there"
