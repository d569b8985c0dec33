#!/bin/sh
# Stands in for systemd on a lab host: starts containerd, dockerd and sshd, and starts each again
# when it dies, as their units would. /run is a fresh tmpfs at every start, as after a boot.
# A file /run/<program>.stopped keeps a program that was ended on purpose from coming back.
set -u
SEED=${SEED:-}
DISK=${DISK:-}

supervise() {
  name=$1
  shift
  while :; do
    [ -e "/run/$name.stopped" ] || "$@" >>"/var/log/$name.log" 2>&1
    sleep 1
    [ "$name" = dockerd ] && rm -f /run/docker.pid
  done
}

mkdir -p /run/sshd

# A new host starts with the images of its seed. Layers never change, so they are hard links, made
# within one mount; everything else is copied. engine-id is what no two engines share.
seed_disk() {
  cd "/lab-volumes/$SEED/_data" || return
  daemon=containerd/daemon/io.containerd
  layers=$(ls -d overlay2/*/diff "$daemon".snapshotter.v1.overlayfs/snapshots/*/fs \
    "$daemon".content.v1.content/blobs 2>/dev/null)
  if [ -n "$DISK" ]; then
    printf './%s\n' $layers |
      tar -c --anchored --no-wildcards -X - . | tar -x -C "/lab-volumes/$DISK/_data"
    cp -al --parents $layers "/lab-volumes/$DISK/_data"
  else
    cp -a . /var/lib/docker
  fi
  rm -f /var/lib/docker/engine-id
  touch /var/lib/docker/.seeded
}
[ -n "$SEED" ] && [ ! -e /var/lib/docker/.seeded ] && (seed_disk)
umount /lab-volumes 2>/dev/null

# Containers inside live below this container's own cgroup, so that they go away with it.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -o remount,rw /sys/fs/cgroup 2>/dev/null
  mkdir -p /sys/fs/cgroup/init
  xargs -rn1 </sys/fs/cgroup/cgroup.procs >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null
  sed -e 's/ / +/g' -e 's/^/+/' </sys/fs/cgroup/cgroup.controllers \
    >/sys/fs/cgroup/cgroup.subtree_control
  parent=/docker
else
  parent=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)/docker
fi

# Both keep what they store on one disk, the volume at /var/lib/docker.
supervise containerd containerd --root /var/lib/docker/containerd/daemon &
until [ -S /run/containerd/containerd.sock ]; do sleep 0.05; done
supervise dockerd dockerd --containerd=/run/containerd/containerd.sock --cgroup-parent="$parent" &
supervise sshd /usr/sbin/sshd -D -e &

# A reboot ends dockerd first, like systemd does.
shut_down() {
  touch /run/dockerd.stopped
  kill "$(cat /run/docker.pid)"
  tries=0
  while [ -e /run/docker.pid ] && [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  exit 0
}
trap shut_down TERM
wait
