/**
 * POSIX sh: what `al host check` looks at, one fact a line: a word, a space, the rest. Changes nothing.
 * `$1` is a name to resolve. What is missing on a host is left out, and then unknown.
 */
export const HEALTH_SCRIPT = `
set -u
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin; export PATH
printf 'time '; date +%s
if synced=$(timedatectl show -p NTPSynchronized --value 2>/dev/null); then printf 'synchronised %s\\n' "$synced"; fi
first() { for place in "$@"; do [ -d "$place" ] && return; done; }
first /var/lib/docker /var/lib /; docker=$place
df -Pk / "$docker" "$HOME" 2>/dev/null | sed '1d; s/^/disk /'
df -Pi / "$docker" "$HOME" 2>/dev/null | sed '1d; s/^/inodes /'
resolv=/etc/resolv.conf
if grep -qs '^nameserver 127\\.0\\.0\\.53' "$resolv" && [ -r /run/systemd/resolve/resolv.conf ]; then
  resolv=/run/systemd/resolve/resolv.conf
fi
sed -n 's/^nameserver[[:space:]]*/resolver /p' "$resolv" 2>/dev/null
if [ -r /etc/docker/daemon.json ]; then printf 'daemon '; tr -d '\\n' < /etc/docker/daemon.json; echo; fi
if getent ahosts "$1" >/dev/null 2>&1; then echo 'resolves yes'; else echo 'resolves no'; fi
ss -Hltn 2>/dev/null | sed 's/^/listen /'
ip -o addr show scope global 2>/dev/null | sed -n 's|^.* inet6\\{0,1\\} \\([0-9a-f.:]*\\)/.*$|address \\1|p'
sed -n 's/^\\(MemTotal\\|SwapTotal\\): *\\([0-9]*\\) kB$/\\1 \\2/p' /proc/meminfo
[ -e /var/run/reboot-required ] && echo 'reboot yes'
if command -v apt-config >/dev/null 2>&1; then
  printf 'apt %s\\n' "$(apt-config dump 2>/dev/null | sed -n 's/^APT::Periodic::Unattended-Upgrade "\\(.*\\)";$/\\1/p')"
fi
if [ "$(id -u)" = 0 ]; then sshd -T 2>/dev/null | sed 's/^/sshd /'
else sudo -n "$(command -v sshd || echo /usr/sbin/sshd)" -T 2>/dev/null | sed 's/^/sshd /'; fi
echo end
`;
