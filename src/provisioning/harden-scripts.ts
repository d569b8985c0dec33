const COMMON = `set -eu
LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/sbin:/sbin
export LC_ALL DEBIAN_FRONTEND PATH
`;

/** Installs packages of the distribution; the arguments are their names. May be repeated. */
export const PACKAGES_SCRIPT = `${COMMON}
apt-get -q update
apt-get -q install -y --no-install-recommends "$@"
`;

/** Writes standard input to the file `$1`, whole or not at all; exits with 3 where it is that already. */
export const FILE_SCRIPT = `${COMMON}
mkdir -p "\${1%/*}"
cat > "$1.al-new"
if cmp -s "$1.al-new" "$1"; then rm -f "$1.al-new"; exit 3; fi
chmod 644 "$1.al-new"
mv "$1.al-new" "$1"
`;

/** Makes services take over files that were written for them; without systemd nothing is done. */
export const SERVICES_SCRIPT = `${COMMON}
[ -d /run/systemd/system ] || exit 0
systemctl try-restart systemd-journald
systemctl enable --quiet fail2ban unattended-upgrades
systemctl restart fail2ban unattended-upgrades
`;

/**
 * Puts standard input in place as Docker's settings `$1` if dockerd accepts them, and has dockerd read
 * them again: no container is touched. An engine before 23 cannot check them.
 */
export const DAEMON_SCRIPT = `${COMMON}
mkdir -p "\${1%/*}"
cat > "$1.al-new"
if dockerd --help 2>&1 | grep -q -e --validate; then
  dockerd --validate --config-file "$1.al-new" >&2 || { rm -f "$1.al-new"; exit 1; }
fi
mv "$1.al-new" "$1"
if [ -d /run/systemd/system ]; then systemctl reload docker; else kill -HUP "$(cat "$2")"; fi
`;
