import { LABELS } from "../core/names.ts";

/**
 * Prints sshd's effective settings, which only root may see. Who is not root and may not use sudo is in the
 * group docker: then a container of the runtime's image looks, which is there wherever we deployed, with the
 * machine's own programs and nothing that it could change.
 */
const SSHD_SETTINGS = `
settings() {
  sshd=$(command -v sshd || echo /usr/sbin/sshd)
  if [ "$(id -u)" = 0 ]; then "$sshd" -T; return; fi
  sudo -n "$sshd" -T && return
  runtime=$(docker ps -aq --filter 'label=${LABELS.role}=runtime' | head -n 1)
  [ -n "$runtime" ] || return
  docker run --rm --pull never --network none --userns host --user 0:0 --read-only \\
    --cap-drop ALL --cap-add SYS_CHROOT --security-opt no-new-privileges --security-opt label=disable \\
    -v /:/host:ro --entrypoint chroot "$(docker inspect -f '{{.Image}}' "$runtime")" /host "$sshd" -T
}
`;

/**
 * POSIX sh: what `al host check` looks at, one fact a line: a word, a space, the rest. Changes nothing.
 * `$1` is a name to resolve. What is missing on a host is left out, and then unknown.
 */
export const HEALTH_SCRIPT = `${SSHD_SETTINGS}
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
settings 2>/dev/null | sed 's/^/sshd /'
echo end
`;
