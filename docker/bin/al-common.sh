# Sourced by the commands beside it.
set -eu

# usage WORDS: how the command is used; the words hold nothing that JSON would escape.
usage() {
  printf '{"ok":false,"error":"usage: %s"}\n' "$1"
  exit 9
}

# signal NAME: standard input becomes the signal file NAME, as a whole.
signal() {
  signals="${AL_SIGNAL_DIR:-/tmp/signals}"
  mkdir -p "$signals"
  cat > "$signals/.$1.$$"
  mv -f "$signals/.$1.$$" "$signals/$1"
}

# tell COMMAND [ARGUMENT...]: tells the gateway; where there is none, all is well without it.
tell() {
  if [ -z "${GATEWAY_URL:-}" ]; then echo '{"ok":true}'; exit 0; fi
  gateway "$@"
}

# ask COMMAND [ARGUMENT...]: asks the gateway, which must be there.
ask() {
  if [ -z "${GATEWAY_URL:-}" ]; then
    echo '{"ok":false,"error":"there is no gateway: GATEWAY_URL is not set"}'
    exit 5
  fi
  gateway "$@"
}

# gateway COMMAND [ARGUMENT...]: prints the gateway's answer and ends as it says. All of it is one program
# for Node.js, which every image with our /app has; curl and jq may be missing there.
gateway() {
  program=/app/dist/agents/command.js
  [ -f "$program" ] || program="${0%/*}/../../dist/agents/command.js"
  unset NODE_OPTIONS
  exec node "$program" "$@"
}
