#!/usr/bin/env bash
# A real SLURM of one node on this machine, on loopback, for tests/test_slurm.py.
# Needs Debian and root, and writes /etc/slurm/slurm.conf: for machines that are thrown away.
#
#   tests/helpers/slurm.sh up     installs and starts it
#   tests/helpers/slurm.sh node   starts the node's daemon again, after a test has killed it
#   tests/helpers/slurm.sh down   stops it
set -euo pipefail

node() { slurmd -N "$(hostname -s)"; }

up() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
  local name cores memory
  name=$(hostname -s) cores=$(nproc) memory=$(free -m | awk '/^Mem:/ {print $2}')
  mkdir -p /etc/slurm /var/spool/slurmctld /var/spool/slurmd /var/log/slurm /run/munge
  chown munge: /run/munge
  cat >/etc/slurm/slurm.conf <<CONF
ClusterName=loopback
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ReturnToService=2
JobRequeue=1
KillWait=10
SlurmdTimeout=10
SchedulerParameters=sched_interval=2
NodeName=$name NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory State=UNKNOWN
PartitionName=cpu Nodes=$name Default=YES MaxTime=INFINITE State=UP
CONF
  runuser -u munge -- munged
  slurmctld
  node
  for _ in $(seq 30); do
    if sinfo --noheader --states=idle --format=%D | grep -q 1; then return; fi
    sleep 1
  done
  sinfo >&2
  return 1
}

down() { pkill -x slurmd || true; pkill -x slurmctld || true; pkill -x munged || true; }

"$1"
