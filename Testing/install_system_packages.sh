#!/bin/sh
# Installs the Debian packages that offscreen rendering needs, where this user may do so;
# otherwise prints the command. Never fails: only pictures depend on them.
list="$(dirname "$0")/slicer_harness/system_packages.txt"

installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q "ok installed"
}

missing=""
for package in $(cat "$list"); do
    # Newer releases rename some libraries for their 64-bit time: libglib2.0-0t64.
    installed "$package" || installed "${package}t64" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Not a Debian or Ubuntu system: install what provides$missing for pictures." >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "For pictures, run once: sudo apt-get install --yes --no-install-recommends$missing" >&2
    exit 0
fi
echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
{
    $as_root apt-get update -qq &&
        $as_root apt-get install -y -qq --no-install-recommends $missing
} >/dev/null || echo "That failed; for pictures, run: apt-get install$missing" >&2
exit 0
