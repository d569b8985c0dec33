/**
 * Shell functions for root that install packages of the distribution on a machine where somebody else may be
 * at it, as on every machine that has just booted: `apt_update`, and `apt_install` with their names.
 */
export const APT_SCRIPT = `
LC_ALL=C DEBIAN_FRONTEND=noninteractive; export LC_ALL DEBIAN_FRONTEND
# No option makes apt wait for the lock of its lists.
apt_update() {
  tries=12
  until apt-get -q update; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 5
  done
}
apt_install() {
  apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}
`;
