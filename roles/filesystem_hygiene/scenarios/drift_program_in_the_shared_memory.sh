#!/bin/sh
# A supplier's program put a part of itself into the shared memory and wanted it run from there.
# breaks: test_no_program_runs_from_the_shared_memory
set -eu
sed -i '\#[[:space:]]/dev/shm[[:space:]]#d' /etc/fstab
echo 'tmpfs /dev/shm tmpfs defaults,size=1G 0 0' >>/etc/fstab
mount -o remount,exec /dev/shm
