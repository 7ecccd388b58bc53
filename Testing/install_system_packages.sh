#!/bin/sh
# Installs the Debian packages that offscreen rendering needs, where this user may do so;
# otherwise prints the command. Never fails: only pictures depend on them.
packages="libegl1 libgl1 libgl1-mesa-dri libglx-mesa0 libosmesa6 libxkbcommon-x11-0 libdbus-1-3"

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
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
    echo "For pictures, run once: sudo apt-get install -y$missing" >&2
    exit 0
fi
echo "Installing$missing"
{ $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing; } >/dev/null ||
    echo "That failed; for pictures, run: apt-get install -y$missing" >&2
exit 0
