#!/bin/sh
# Stands in for systemd on a machine that cloud-init makes: runs cloud-init's four stages, in the
# order of its units, then starts what it installed. Later boots run the stages again, as there.
set -u
mkdir -p /run/sshd
{
  cloud-init init --local
  cloud-init init
  cloud-init modules --mode=config
  cloud-init modules --mode=final
} >>/var/log/cloud-start.log 2>&1
touch /run/first-boot-done
exec /usr/local/sbin/host-start
