// What runs on a machine that is not a host yet: POSIX sh, coreutils, OpenSSH and Docker's command.

/**
 * Prints one of these: `ready`; `booting`; `waiting` for Docker; `failed`, where the first boot is over and
 * has left no Docker, and then what cloud-init says of it. `$1` is the file it leaves at the end.
 */
export const FIRST_BOOT = `set -eu
PATH=$PATH:/usr/sbin:/sbin
[ -e "$1" ] || { echo booting; exit 0; }
if docker version >/dev/null 2>&1; then echo ready
elif command -v docker >/dev/null && command -v dockerd >/dev/null; then echo waiting
else echo failed; head -c 32768 "$1"; fi
`;

/**
 * Runs a script as root: `$1` is the script, the rest are its arguments. Who is not root and may not use
 * sudo is in the group docker, which is as much: then it runs in a container that sees the machine's own
 * files and processes, made of an image of its own that is nothing but links to them.
 */
export const AS_ROOT = `set -eu
script=$1
shift
[ "$(id -u)" != 0 ] || exec /bin/sh -c "$script" sh "$@"
if sudo -n true 2>/dev/null; then exec sudo -n /bin/sh -c "$script" sh "$@"; fi
dir=$(mktemp -d) image=
trap 'rm -rf -- "$dir"; [ -z "$image" ] || docker image rm -f "$image" >/dev/null 2>&1 || :' EXIT
trap 'exit 1' HUP INT TERM PIPE
for one in bin lib lib64 sbin usr; do ln -s "/host/$one" "$dir/$one"; done
image=$(tar -C "$dir" -cf - bin lib lib64 sbin usr | docker import -)
docker run --rm --pull never --pid host --userns host --network none -v /:/host \\
  --security-opt apparmor=unconfined --security-opt label=disable "$image" \\
  /usr/sbin/chroot /host /bin/sh -c "$script" sh "$@"
`;

/** What counts of a key is its private half; the public one beside it may be old, or missing. */
const KEYS = `set -eu
umask 077
LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
public() { ssh-keygen -y -f "$1" 2>/dev/null </dev/null | cut -d ' ' -f 1,2; }
`;

/** Prints the settings that sshd starts with. */
export const SSHD_SETTINGS = `${KEYS}
sshd -T
`;

/**
 * The arguments are fingerprints. Prints the file of sshd's host key that has one of them, or whose next
 * key has, and the file with sshd's process id.
 */
export const FIND_HOST_KEY = `${KEYS}
fingerprint() { public "$1" | ssh-keygen -l -f - 2>/dev/null | cut -d ' ' -f 2; }
settings=$(sshd -T)
setting() { printf '%s\\n' "$settings" | sed -n "s/^$1 //p"; }
for key in $(setting hostkey); do
  for found in "$(fingerprint "$key")" "$(fingerprint "$key.al-next")"; do
    for wanted in "$@"; do
      [ "$found" = "$wanted" ] || continue
      printf '%s\\n' "$key" "$(setting pidfile)"
      exit 0
    done
  done
done
echo 'no host key in the settings of sshd is the approved one' >&2
exit 1
`;

/**
 * `$1` the file of a host key, `$2` the public key that is to be replaced. Prints the one that replaces
 * it, of the same type, which is on disk by then; made once.
 */
export const OWN_HOST_KEY = `${KEYS}
key=$1 next=$1.al-next
if [ "$(public "$key")" != "$2" ]; then
  public "$key"
  exit 0
fi
if [ -z "$(public "$next")" ]; then
  name=\${2%% *}
  case $name in
    ecdsa-sha2-nistp*) type="ecdsa -b \${name##*-nistp}" ;;
    ssh-rsa) type='rsa -b 3072' ;;
    *) type=ed25519 ;;
  esac
  rm -f -- "$next" "$next.pub"
  ssh-keygen -q -t $type -N '' -C '' -f "$next"
  sync "$next" "\${key%/*}"
fi
public "$next"
`;

/**
 * `$1` the file of a host key, `$2` the public key to take, `$3` the file with sshd's process id. An sshd
 * that could not read its settings or this key would end when it is told to read them. Nothing is moved
 * before it is certain that there is an sshd to tell.
 */
export const TAKE_HOST_KEY = `${KEYS}
key=$1 next=$1.al-next
sshd -t
pid=$(cat "$3" 2>/dev/null) || pid=
case $(cat "/proc/\${pid:-none}/comm" 2>/dev/null) in
  sshd | sshd.*) ;;
  *)
    echo "no sshd has its process id in $3, so none can be told of a new key: let it write one (PidFile in sshd_config), or restart sshd; nothing was changed" >&2
    exit 1
    ;;
esac
if [ "$(public "$key")" != "$2" ]; then
  [ "$(public "$next")" = "$2" ] || { echo 'the key to take is not there' >&2; exit 1; }
  sshd -t -f /dev/null -h "$next"
  mv -f -- "$next" "$key"
fi
if [ "$(cut -d ' ' -f 1,2 "$key.pub" 2>/dev/null)" != "$2" ]; then
  printf '%s\\n' "$2" > "$key.pub.al-new"
  chmod 644 "$key.pub.al-new"
  mv -f -- "$key.pub.al-new" "$key.pub"
fi
rm -f -- "$next.pub"
sync "\${key%/*}"
kill -HUP "$pid"
`;
