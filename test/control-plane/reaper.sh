#!/bin/sh
# Ends what a test process leaves behind. Standard input is a pipe that only that process holds open, so the end of input
# means that it is gone, in whatever way: SIGKILL included. Lines: "watch PID", "forget PID", "folder PATH".
trap '' HUP INT TERM
newline='
'
pids=' '
folders=''

while read -r verb value; do
  case $verb in
    watch) pids="$pids$value " ;;
    forget)
      case $pids in
        *" $value "*) pids="${pids%%" $value "*} ${pids#*" $value "}" ;;
      esac
      ;;
    folder) folders="$folders$value$newline" ;;
  esac
done

# A program started as the leader of a group goes with its children.
for pid in $pids; do
  kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
done

# Again and again for five seconds: a program that was just killed may still be writing.
IFS=$newline
for folder in $folders; do
  case $folder in */fleetscan-*) ;; *) continue ;; esac
  tries=0
  while [ -e "$folder" ] && [ "$tries" -lt 50 ]; do
    rm -rf -- "$folder" 2>/dev/null || sleep 0.1
    tries=$((tries + 1))
  done
done
