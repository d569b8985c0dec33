/**
 * What sshd is told on a machine that we are let harden, one `Setting value` a line: keys only, and dead
 * sessions ended within a minute. Root may still log in with a key, which may be the operator's way in,
 * but not where `effective` (what `sshd -T` prints) allows less: nothing is ever loosened.
 */
export function sshdSettings(effective: string): string {
  const root = /^permitrootlogin (.*)$/im.exec(effective)?.[1]?.toLowerCase();
  const isStricter = root === "no" || root === "forced-commands-only";
  return [
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    ...(isStricter ? [] : ["PermitRootLogin prohibit-password"]),
    "X11Forwarding no",
    "LoginGraceTime 30",
    "ClientAliveInterval 5",
    "ClientAliveCountMax 4",
    "",
  ].join("\n");
}

/** Those of {@link sshdSettings} that are not in effect yet, each as `Setting value`. */
export function sshdChanges(effective: string): readonly string[] {
  const lines = new Set(effective.toLowerCase().split("\n"));
  return sshdSettings(effective)
    .split("\n")
    .filter((line) => {
      // sshd -T has its older name.
      const other = line.replace("prohibit-password", "without-password");
      return line !== "" && ![line, other].some((one) => lines.has(one.toLowerCase()));
    });
}

/** Prints sshd's effective settings, for root. */
export const SETTINGS_SCRIPT = "PATH=$PATH:/usr/sbin:/sbin; exec sshd -T";

/**
 * Where things are, for all three scripts: `$1` is the machine's root directory (empty for `/`), `$2` the
 * trial's token. Settings on trial lie in /run, so that a reboot ends them too; `00-action-llama-trial.conf`
 * is read before every other drop-in, and sshd takes the first value it reads.
 *
 * sshd writes its pid file anew when it has read its settings: a login before that would prove nothing.
 * A timer of systemd's that outlived its trial would find nothing to run, and leave a unit that failed.
 */
const PLACES = `
LC_ALL=C PATH=$PATH:/usr/sbin:/sbin; export LC_ALL PATH
root=$1 token=$2
trial=$root/run/action-llama-sshd
places=$root/etc/ssh/sshd_config.d
on_trial=$trial/$token.conf
include=$places/00-action-llama-trial.conf
pid_file=$root/run/sshd.pid
unit=action-llama-sshd-$token
has_systemd() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
reload() {
  pid=$(cat "$pid_file" 2>/dev/null) || pid=
  rm -f "$pid_file"
  if has_systemd; then
    systemctl reload ssh 2>/dev/null || systemctl reload sshd || return 1
  else kill -HUP "$pid" || return 1; fi
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s "$pid_file" ] && return 0
    sleep 0.2
  done
  [ -z "$pid" ] || echo "$pid" > "$pid_file"
  return 1
}
forget() {
  if has_systemd; then systemctl stop "$unit.timer" 2>/dev/null || :; fi
  rm -rf "$trial"
}
`;

/** Ends a trial, unless it was kept: whoever renames the settings first has decided. */
export const REVERT_SCRIPT = `${PLACES}
mv "$on_trial" "$trial/refused" 2>/dev/null || exit 0
rm -f "$include"
reload
forget
`;

/**
 * Puts settings, read from standard input, on trial for `$3` seconds; `$4` is {@link REVERT_SCRIPT}, which
 * the machine runs by itself when they are over. What undoes it is in place before anything is done.
 * Exits with 75 where a trial is under way (one that is 10 minutes old was cut off), and with 1, undone,
 * where sshd does not take the settings.
 */
export const TRY_SCRIPT = `set -eu
${PLACES}
seconds=$3 revert=$trial/revert
mkdir -p "$places" "$root/run"
stale=$(find "$trial" -maxdepth 0 -mmin +10 2>/dev/null) || stale=
[ -z "$stale" ] || rm -rf "$trial"
mkdir -m 700 "$trial" 2>/dev/null || { echo 'new sshd settings are on trial already' >&2; exit 75; }
cat > "$on_trial"
printf '%s' "$4" > "$revert"
if has_systemd; then
  systemd-run --quiet --collect --unit="$unit" --on-active="$seconds" --timer-property=AccuracySec=1 \\
    /bin/sh "$revert" "$root" "$token" || { rm -rf "$trial"; exit 1; }
else
  env -i PATH="$PATH" setsid sh -c 'sleep "$1"; exec sh "$2" "$3" "$4"' sh \\
    "$seconds" "$revert" "$root" "$token" </dev/null >/dev/null 2>&1 &
fi
refuse() { echo "$1" >&2; sh "$revert" "$root" "$token"; exit 1; }
printf 'Include %s/*.conf\\n' "$trial" > "$include.new"
mv "$include.new" "$include"
said=$(sshd -t 2>&1) || refuse "sshd refuses the settings: $said"
sshd -T > "$trial/effective" 2>/dev/null || refuse 'sshd does not tell its settings'
while read -r key value; do
  case $value in prohibit-password) also=without-password ;; *) also=$value ;; esac
  grep -qix -e "$key $value" -e "$key $also" "$trial/effective" \\
    || refuse "$key $value has no effect: does /etc/ssh/sshd_config include sshd_config.d/*.conf?"
done < "$on_trial"
reload || refuse 'sshd could not be reloaded'
`;

/**
 * Keeps the settings on trial, which are in force already, for good.
 * Exits with 75 where the machine has ended the trial already.
 */
export const KEEP_SCRIPT = `set -eu
${PLACES}
kept=$places/00-action-llama.conf
over() { rm -f "$kept.new"; echo 'the trial is over' >&2; exit 75; }
cp "$on_trial" "$kept.new" 2>/dev/null || over
chmod 644 "$kept.new"
mv "$on_trial" "$trial/kept" 2>/dev/null || over
mv "$kept.new" "$kept"
rm -f "$include"
forget
`;
