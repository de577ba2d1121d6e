#!/bin/bash
# First process of a server's own process, mount and IPC namespaces.
#
# usage: contained.sh DIRECTORY PREFIX      standard input: signal names, one a line
#
# Lays PREFIX/usr over /usr, sources DIRECTORY/setup.sh and runs DIRECTORY/serve.sh. A line on standard input is the name
# of a signal for the server. The end of standard input means that the test process is gone, however it ended: then
# DIRECTORY is removed. When this process ends, the kernel kills whatever is left in the namespace.
set -eu
directory=$1
prefix=$2
exec 3<&0 </dev/null >>"$directory/server.log" 2>&1
ulimit -n "$(ulimit -Hn)"
mount -t tmpfs -o mode=755 tmpfs /run
[ -z "$prefix" ] || mount -t overlay overlay -o "lowerdir=$prefix/usr:/usr" /usr
. "$directory/setup.sh"

bash "$directory/serve.sh" 3<&- &
server=$!
while read -r signal; do
  if [ "$signal" = KILL ]; then kill -KILL -1; else kill "-$signal" "$server"; fi
done <&3 &
orders=$!
exec 3<&-

ended=
status=0
wait -n -p ended "$server" "$orders" || status=$?
if [ "$ended" = "$server" ]; then exit "$status"; fi
kill -KILL -1 2>/dev/null || true
cd /
rm -rf "$directory"
