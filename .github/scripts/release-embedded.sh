#!/bin/sh
# Trains MODEL on a stack of this job's own, and releases it. The stack's keys end with the job: what is shown is that
# the way from data to a verified release works, and the release says who signed it.
set -eu

./saip up
trap './saip down' EXIT
./saip train "$MODEL" --follow

set -- "$MODEL"
[ -z "${NOTES:-}" ] || set -- "$@" --notes "$NOTES"
started=$(./saip release start "$@" --json)
id=$(printf '%s' "$started" | .saip/bin/node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).workflowId')

# Policy asks for another person where nobody attacked the version; the environment's reviewers started this job, and the
# stack's approver, who is not its releaser, agrees in their name.
waits='const { status, progress } = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(status !== "running" ? "ended" : progress?.approval ? "asks" : "goes on")'
while :; do
  state=$(./saip workflows show "$id" --json | .saip/bin/node -e "$waits")
  [ "$state" = 'goes on' ] || break
  sleep 1
done
[ "$state" = ended ] || ./saip workflows approve "$id" --comment 'approved by the reviewers of the environment'
./saip workflows follow "$id"

./saip release keys >trusted.pem
./saip release download "$MODEL" "${id##*-}" --to release
./saip release verify release --keys trusted.pem
