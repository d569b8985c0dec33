import { APT_SCRIPT } from "./apt-script.ts";

const COMMON = `set -eu
LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
`;

/**
 * Prints how a machine is, one fact a line, a word before each. `$1` is Docker's settings, `$2` the file
 * with its process id, `$3` the mark of a hardening that was begun; then packages, `--`, and files.
 */
export const HARDENING_LOOK_SCRIPT = `${COMMON}
[ ! -e "$3" ] || echo begun
{ cat "$1" 2>/dev/null || :; echo; } | sed 's/^/daemon /'
tr '\\0' '\\n' < "/proc/$(cat "$2")/cmdline" | sed 's/^/dockerd /'
shift 3
while [ "$1" != -- ]; do
  if [ "$(dpkg-query -W -f '\${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; then echo "package $1"; fi
  shift
done
shift
sha256sum -- "$@" 2>/dev/null | sed 's/^/file /'
sshd -T | sed 's/^/sshd /'
`;

/** Leaves the mark `$1` until all is done: a reboot, after which everything has been read anew, removes it. */
export const BEGIN_SCRIPT = `${COMMON}
: > "$1"
`;

/** Installs packages of the distribution; the arguments are their names. May be repeated. */
export const PACKAGES_SCRIPT = `${COMMON}
${APT_SCRIPT}
apt_update
apt_install "$@"
`;

/** Writes standard input to the file `$1`, whole or not at all. */
export const FILE_SCRIPT = `${COMMON}
mkdir -p "\${1%/*}"
cat > "$1.al-new"
chmod 644 "$1.al-new"
mv "$1.al-new" "$1"
`;

/**
 * Puts standard input in place as Docker's settings `$1` if dockerd accepts them. An engine before 23
 * cannot check them.
 */
export const DAEMON_SCRIPT = `${COMMON}
mkdir -p "\${1%/*}"
cat > "$1.al-new"
if dockerd --help 2>&1 | grep -q -e --validate; then
  dockerd --validate --config-file "$1.al-new" >&2 || { rm -f "$1.al-new"; exit 1; }
fi
mv "$1.al-new" "$1"
`;

/**
 * Makes everything take over what was written for it, Docker too, whose process id is in the file `$1`: no
 * container is touched. Then removes the mark `$2`. Without systemd only Docker is told.
 */
export const END_SCRIPT = `${COMMON}
if [ -d /run/systemd/system ]; then
  systemctl try-restart systemd-journald
  systemctl enable --quiet fail2ban unattended-upgrades
  systemctl restart fail2ban unattended-upgrades
  systemctl reload docker
else kill -HUP "$(cat "$1")"; fi
rm -f "$2"
`;
