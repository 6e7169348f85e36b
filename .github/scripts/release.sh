#!/bin/sh
# Releases MODEL (VERSION, NOTES) on the platform at SAIP_API_URL, as the identity of this job, and verifies what it got
# with TRUSTED_KEYS (PEM).
set -eu

if [ -z "${TRUSTED_KEYS:-}" ]; then
  echo 'Set the variable SAIP_RELEASE_KEYS to the public keys that this repository trusts: saip release keys.' >&2
  exit 1
fi
printf '%s\n' "$TRUSTED_KEYS" >trusted.pem

./saip login --github-oidc --audience "$AUDIENCE"

# Another person has five hours to agree, which is less than the job has.
set -- "$MODEL"
[ -z "${VERSION:-}" ] || set -- "$@" "$VERSION"
[ -z "${NOTES:-}" ] || set -- "$@" --notes "$NOTES"
started=$(./saip release start "$@" --approval-timeout 18000 --idempotency-key "run-$GITHUB_RUN_ID" --json)
id=$(printf '%s' "$started" | .saip/bin/node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).workflowId')
echo "waiting for $id"

# A token lives for 15 minutes.
while :; do
  ./saip login --github-oidc --audience "$AUDIENCE" >/dev/null
  status=$(./saip workflows show "$id" --json | .saip/bin/node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).status')
  [ "$status" = running ] || break
  sleep 30
done
./saip workflows show "$id"
# Ends with another code than 0 unless the workflow is completed.
./saip workflows follow "$id" >/dev/null

version=${id##*-}
./saip release download "$MODEL" "$version" --to release
./saip release verify release --keys trusted.pem
