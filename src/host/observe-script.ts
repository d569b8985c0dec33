/**
 * POSIX sh with coreutils; `$1` is the project, `$2` the Docker socket. Prints one fact a line: a word, a space,
 * the rest; or what `df` and `sha256sum` print, as it is. Every process that is not started is a millisecond less.
 * It reads the bytes of every file, so nothing on the host can claim to be what it is not.
 * Facts that names of files could forge are always printed, and before any name: the first one counts.
 * A line `keyed` and a credential's path is followed by its version: SHA-256 of key, zero byte and value, as
 * `core/fingerprint.ts` makes it.
 */
export const OBSERVE_SCRIPT = `
set -u
LC_ALL=C; export LC_ALL
dir="$HOME/.action-llama/projects/$1"
first() { for place in "$@"; do [ -d "$place" ] && return; done; }
encoded() { if [ -f "$2" ]; then printf '%s ' "$1"; base64 -w 0 < "$2"; echo; else printf '%s -\\n' "$1"; fi; }
printf 'dir %s\\nuid ' "$dir"; id -u; printf 'gid '; id -g
printf 'docker-gid '; stat -L -c %g "$2" 2>/dev/null || echo
printf 'machine '; uname -m
first /var/lib/docker /var/lib /; docker=$place; first "$dir" "$HOME" /
df -Pk "$docker" "$place" 2>/dev/null
cd "$dir" 2>/dev/null || { echo end; exit 0; }
key=
[ -f credential.key ] && IFS= read -r key < credential.key
printf 'key %s\\n' "$key"
encoded current current.json
encoded inventory applied.json
encoded stopped stopped.json
find . -mindepth 1 -maxdepth 2 -name '.tmp-*' -exec printf 'temporary %s\\0' {} + -prune \\
  -o -path './*/*' ! -path './releases/*' ! -path './credentials/*' ! -path './certificates/*' \\
  -o -exec printf 'entry %s\\0' {} + -path './*/*' -type d -exec printf 'tree %s\\0' {} + | tr '\\n\\0' '?\\n'
set --
for kind in releases credentials; do [ -d "$kind" ] && set -- "$@" "$kind"; done
[ $# -gt 0 ] && find "$@" -mindepth 1 \\( -path 'releases/.tmp-*' -o -path 'credentials/.tmp-*' \\) -prune \\
  -o ! -type f ! -type d -exec printf 'oddity %s is not a regular file\\n' {} + \\
  -o -path 'credentials/*/*' -type f ! -perm 600 -exec printf 'oddity %s has the wrong mode\\n' {} + \\
  -o -path 'releases/*/*' -type f -exec sha256sum {} +
if [ -d credentials ] && [ -n "$key" ]; then
  find credentials -mindepth 1 -path 'credentials/.tmp-*' -prune -o -path 'credentials/*/*' -type f -print | while IFS= read -r path; do
    printf 'keyed %s\\n' "$path"
    { printf '%s\\0' "$key"; cat "$path"; } | sha256sum
  done
fi
echo end
`;
