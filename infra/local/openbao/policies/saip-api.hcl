# The API issues access tokens and signs approvals; it cannot sign models or releases.
path "transit/sign/tokens" {
  capabilities = ["update"]
}
path "transit/sign/tokens/*" {
  capabilities = ["update"]
}
path "transit/sign/approvals" {
  capabilities = ["update"]
}
path "transit/sign/approvals/*" {
  capabilities = ["update"]
}
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
path "transit/keys/releases" {
  capabilities = ["read"]
}
path "transit/keys/audit" {
  capabilities = ["read"]
}
# Payloads of workflows: new data keys, and the unwrapping of old ones.
path "transit/datakey/plaintext/payloads" {
  capabilities = ["update"]
}
path "transit/decrypt/payloads" {
  capabilities = ["update"]
}
# Keyed hashes of API keys; the key of the hash stays here.
path "transit/hmac/api-keys/sha2-256" {
  capabilities = ["update"]
}
path "secret/data/saip/postgres/api" {
  capabilities = ["read"]
}
