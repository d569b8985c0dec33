/**
 * POSIX sh; `$1` project, `$2` holder, `$3` seconds to wait, `$4` seconds of silence that end it, `$5` fence.
 * Holds flock on the project's lock file for as long as a byte arrives in time. `r` releases it. A lock
 * file that its last holder removed, with the project, is none: whoever waited for it takes the new one.
 * On silence it first kills the sshd process of its own session (or, with fence `parent`, the holder),
 * so that nothing the holder has buffered can arrive after the lock is free, and only then lets go.
 */
export const LOCK_SCRIPT = `
set -u; umask 077
dir="$HOME/.action-llama/projects/$1"
while :; do
  mkdir -p "$dir" && exec 9>>"$dir/lock" || exit 1
  if ! flock -n 9; then
    printf 'waiting %s\\n' "$(head -c 200 "$dir/lock" | tr -c '[:print:]' ' ')"
    flock -w "$3" 9 || { printf 'busy %s\\n' "$(head -c 200 "$dir/lock" | tr -c '[:print:]' ' ')"; exit 0; }
  fi
  [ "/proc/$$/fd/9" -ef "$dir/lock" ] && break
done
printf '%s\\n' "$2" > "$dir/lock"
echo locked
while :; do
  beat=$(timeout "$4" head -c 1 9>&-); code=$?
  case "$code:$beat" in
    0:h) ;;
    0:*) [ ! -f "$dir/lock" ] || : > "$dir/lock"; exit 0 ;;
    *) break ;;
  esac
done
[ "$5" = parent ] && kill -KILL "$PPID"
pid=$$
[ "$5" = session ] && while [ "$pid" -gt 1 ]; do
  pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null) || break
  [ -n "$pid" ] || break
  case "$(cat "/proc/$pid/comm" 2>/dev/null)" in sshd*) kill -KILL "$pid"; break ;; esac
done
sleep 1
`;
