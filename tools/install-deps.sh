#!/bin/sh
# Installs the Debian packages that are missing from the machine, saying which before it does so.
#   install-deps.sh PACKAGE...
set -eu
missing=""
for p in "$@"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q "ok installed" || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
echo "Lancehead needs these Debian packages and installs them now:$missing"
run=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "please run as root: apt-get install$missing" >&2; exit 1; }
    run=sudo
fi
$run apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing >/dev/null
