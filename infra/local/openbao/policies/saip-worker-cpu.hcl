# The cpu pool verifies what others signed; it signs nothing.
# Public keys only: reading a transit key never returns its private part.
path "transit/keys/tokens" {
  capabilities = ["read"]
}
path "transit/keys/approvals" {
  capabilities = ["read"]
}
path "transit/keys/models" {
  capabilities = ["read"]
}
# Payloads of workflows: new data keys, and the unwrapping of old ones.
path "transit/datakey/plaintext/payloads" {
  capabilities = ["update"]
}
path "transit/decrypt/payloads" {
  capabilities = ["update"]
}
path "secret/data/saip/postgres/worker-cpu" {
  capabilities = ["read"]
}
# An HMAC over kept results of stages: made when one is kept, made again and compared when one is found.
path "transit/hmac/steps/sha2-256" {
  capabilities = ["update"]
}
