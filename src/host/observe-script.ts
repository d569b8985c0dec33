/**
 * POSIX sh with coreutils; `$1` is the project, `$2` the Docker socket. Prints one fact a line: a word, a space, the rest.
 * It reads the bytes of every file, so nothing on the host can claim to be what it is not.
 * Facts that names of files could forge are always printed, and before any name: the first one counts.
 * A credential's line carries SHA-256 of key, zero byte and value, as `core/fingerprint.ts` makes it.
 */
export const OBSERVE_SCRIPT = `
set -u
LC_ALL=C; export LC_ALL
dir="$HOME/.action-llama/projects/$1"
free() { for p in "$@"; do [ -d "$p" ] && { df -Pk "$p" 2>/dev/null | sed -n '2s/  */ /gp' | cut -d' ' -f4; return; }; done; }
encoded() { if [ -f "$2" ]; then printf '%s %s\\n' "$1" "$(base64 < "$2" | tr -d '\\n')"; else printf '%s -\\n' "$1"; fi; }
printf 'dir %s\\nuid %s\\ngid %s\\n' "$dir" "$(id -u)" "$(id -g)"
printf 'docker-gid %s\\n' "$(stat -L -c %g "$2" 2>/dev/null)"
printf 'machine %s\\n' "$(uname -m)"
printf 'docker-free %s\\nfree %s\\n' "$(free /var/lib/docker /var/lib /)" "$(free "$dir" "$HOME" /)"
cd "$dir" 2>/dev/null || { echo end; exit 0; }
key=
[ -f credential.key ] && key=$(head -n 1 credential.key)
printf 'key %s\\n' "$key"
encoded current current.json
encoded inventory applied.json
find . -maxdepth 2 -name '.tmp-*' -exec printf 'temporary %s\\n' {} +
entries() { find "$1" -mindepth 1 -maxdepth 1 ! -name '.tmp-*' -print0 | tr '\\n\\0' '?\\n' | sed 's/^/entry /'; }
entries .
for kind in releases credentials; do
  [ -d "$kind" ] || continue
  entries "./$kind"
  find "$kind" -mindepth 1 -maxdepth 1 -type d ! -name '.tmp-*' -exec printf 'tree %s\\n' {} +
  find "$kind" -mindepth 1 -path "$kind/.tmp-*" -prune -o ! -type f ! -type d -exec printf 'oddity %s is not a regular file\\n' {} +
done
[ -d releases ] && find releases -mindepth 1 -path 'releases/.tmp-*' -prune -o -path 'releases/*/*' -type f -exec sha256sum {} + | sed 's/^/file /'
if [ -d credentials ] && [ -n "$key" ]; then
  find credentials -mindepth 1 -path 'credentials/.tmp-*' -prune -o -path 'credentials/*/*' -type f ! -perm 600 -exec printf 'oddity %s has the wrong mode\\n' {} +
  find credentials -mindepth 1 -path 'credentials/.tmp-*' -prune -o -path 'credentials/*/*' -type f -print | while IFS= read -r path; do
    sum=$({ printf '%s\\0' "$key"; cat "$path"; } | sha256sum)
    printf 'file %s  %s\\n' "\${sum%% *}" "$path"
  done
fi
echo end
`;
