// What runs on the host: POSIX sh, coreutils, find and tar. Paths and sizes are arguments, content is
// standard input. Files are synced one by one: to sync the whole file system would wait for everything
// that others are writing, such as an image (121-349 ms against 13-29 ms for 45 small files).

/** What a script exits with when its input was cut short. */
const EXIT_CUT_SHORT = 75;

/** First lines of every script: nothing is readable for others, and messages are in English. */
const PROLOGUE = `set -eu
umask 077
LC_ALL=C
export LC_ALL
`;

/** `$1` parent, `$2` directory, `$3` temporary directory beside it; the archive on standard input. */
export const WRITE_TREE = `${PROLOGUE}
parent=$1 dir=$2 tmp=$3
trap 'rm -rf -- "$tmp" 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM PIPE
mkdir -p -- "$parent"
mkdir -- "$tmp"
tar -xpmof - -C "$tmp"
[ -f "$tmp/complete" ] || { echo 'the transfer was cut short' >&2; exit ${EXIT_CUT_SHORT}; }
find "$tmp" -exec sync {} +
trap '' HUP INT TERM PIPE
if [ -e "$dir" ] || [ -L "$dir" ]; then mv -T -- "$dir" "$tmp/old"; fi
mv -T -- "$tmp/tree" "$dir" || {
  if [ -e "$tmp/old" ]; then mv -T -- "$tmp/old" "$dir"; fi
  exit 1
}
sync "$parent"
`;

/**
 * `$1` to `$3` as for {@link WRITE_TREE}; `$4` is `mend` when the directory is copied from itself, else
 * `replace`; then pairs: the name of a tree in the parent, and the path of a file in it to copy.
 */
export const CARRY_TREE = `${PROLOGUE}
parent=$1 dir=$2 tmp=$3 how=$4
shift 4
trap 'rm -rf -- "$tmp" 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM PIPE
mkdir -p -- "$parent"
mkdir -- "$tmp"
tar -xpmof - -C "$tmp"
[ -f "$tmp/complete" ] || { echo 'the transfer was cut short' >&2; exit ${EXIT_CUT_SHORT}; }
while [ $# -gt 0 ]; do
  [ "$(find "$parent/$1" -path "$parent/$1/$2" -type f 2>/dev/null | wc -l)" -eq 1 ] || {
    echo "$2 is no longer in $parent/$1" >&2
    exit 1
  }
  mkdir -p -- "$tmp/tree/$(dirname -- "$2")"
  cp -P -- "$parent/$1/$2" "$tmp/tree/$2"
  chmod 600 "$tmp/tree/$2"
  shift 2
done
find "$tmp" -exec sync {} +
if [ "$how" = mend ]; then
  cd -- "$dir"
  find . -mindepth 1 ! -type d -exec sh -c '
    tree=$1; shift
    for path; do
      [ -f "$path" ] && [ ! -L "$path" ] && [ -f "$tree/$path" ] || rm -f -- "$path"
    done' sh "$tmp/tree" {} +
  find . -mindepth 1 -depth -type d -exec rmdir --ignore-fail-on-non-empty -- {} +
  cd -- "$tmp/tree"
  find . -type f -exec sh -c '
    dir=$1; shift
    for path; do
      mkdir -p -- "$dir/$(dirname -- "$path")" && mv -fT -- "$path" "$dir/$path" || exit 1
    done' sh "$dir" {} +
  find "$dir" -exec sync {} +
  exit 0
fi
trap '' HUP INT TERM PIPE
if [ -e "$dir" ] || [ -L "$dir" ]; then mv -T -- "$dir" "$tmp/old"; fi
mv -T -- "$tmp/tree" "$dir" || {
  if [ -e "$tmp/old" ]; then mv -T -- "$tmp/old" "$dir"; fi
  exit 1
}
sync "$parent"
`;

/** `$1` parent, `$2` file, `$3` temporary file beside it, `$4` octal mode, `$5` bytes to come. */
export const WRITE_FILE = `${PROLOGUE}
parent=$1 path=$2 tmp=$3 mode=$4 bytes=$5
trap 'rm -f -- "$tmp"' EXIT
trap 'exit 1' HUP INT TERM PIPE
mkdir -p -- "$parent"
cat > "$tmp"
[ "$(wc -c < "$tmp")" -eq "$bytes" ] || { echo 'the transfer was cut short' >&2; exit ${EXIT_CUT_SHORT}; }
chmod "$mode" "$tmp"
sync "$tmp"
mv -fT -- "$tmp" "$path"
sync "$parent"
`;

/** `$1` root, then paths below it. All are checked before the first is deleted. */
export const REMOVE = `${PROLOGUE}
if [ ! -e "$1" ]; then exit 0; fi
cd -P -- "$1"
root=$PWD
shift
checked=
for path; do
  parent=\${path%/*}
  if [ "$parent" = "$checked" ] || [ ! -d "$parent" ]; then continue; fi
  cd -P -- "$parent"
  case "$PWD/" in
    "$root"/*) checked=$parent ;;
    *) echo "Permission denied: $path leads out of $root" >&2; exit 1 ;;
  esac
done
exec rm -rf -- "$@"
`;

/** `$1` the directory to sweep. */
export const SWEEP = `${PROLOGUE}
if [ ! -e "$1" ]; then exit 0; fi
cd -- "$1"
rm -rf -- .tmp-*
`;
