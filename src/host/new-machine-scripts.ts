// What runs on a machine that is not a host yet: POSIX sh, coreutils, OpenSSH and Docker's command.

/** Prints what is missing before anything can be deployed there, or nothing. */
export const LACKS = `set -eu
[ -e /run/cloud-init/result.json ] || { echo 'the end of its first boot'; exit 0; }
docker version >/dev/null 2>&1 || echo 'an answer of Docker'
`;

/**
 * Runs a script as root. The user is in the group docker, which is as much as root, and there is no
 * sudo: the script runs in a container that sees the machine's own files and processes. Its image is
 * nothing but links to them. `$1` is the script, the rest are its arguments.
 */
export const AS_ROOT = `set -eu
image=al-first-contact
dir=$(mktemp -d)
trap 'rm -rf -- "$dir"; docker image rm -f "$image" >/dev/null 2>&1 || :' EXIT
trap 'exit 1' HUP INT TERM PIPE
for one in bin lib lib64 sbin usr; do ln -s "/host/$one" "$dir/$one"; done
tar -C "$dir" -cf - bin lib lib64 sbin usr | docker import - "$image" >/dev/null
script=$1
shift
docker run --rm --pull never --pid host --userns host --network none -v /:/host \\
  --security-opt apparmor=unconfined --security-opt label=disable "$image" \\
  /usr/sbin/chroot /host /bin/sh -c "$script" sh "$@"
`;

const KEYS = `set -eu
umask 077
LC_ALL=C
export LC_ALL
key=ssh_host_ed25519_key
next=ssh_host_ed25519_key.al-next
public() { cut -d ' ' -f 1,2 < "$1.pub"; }
cd -- "$1"
`;

/**
 * `$1` sshd's directory, `$2` the public key that is to be replaced. Prints the one that replaces it,
 * which is on disk by then; made once.
 */
export const OWN_HOST_KEY = `${KEYS}
if [ "$(public $key)" != "$2" ]; then
  public $key
  exit 0
fi
if [ ! -s $next.pub ]; then
  rm -f -- $next $next.pub
  ssh-keygen -q -t ed25519 -N '' -C '' -f $next
  chmod 644 $next.pub
  sync $next $next.pub .
fi
public $next
`;

/**
 * `$1` sshd's directory, `$2` the public key to take, `$3` the file with sshd's process id. The private
 * half is moved first: while its public half is not in place, the key counts as not taken.
 */
export const TAKE_HOST_KEY = `${KEYS}
if [ "$(public $key)" != "$2" ]; then
  [ "$(public $next)" = "$2" ] || { echo 'the key to take is not there' >&2; exit 1; }
  if [ -e $next ]; then mv -f -- $next $key; fi
  sync .
  mv -f -- $next.pub $key.pub
  sync .
fi
kill -HUP "$(cat "$3")"
`;
