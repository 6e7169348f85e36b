# The sequencer is the only login that may sign heads of the audit log; it signs nothing else.
path "transit/sign/audit" {
  capabilities = ["update"]
}
path "transit/keys/audit" {
  capabilities = ["read"]
}
path "secret/data/saip/postgres/sequencer" {
  capabilities = ["read"]
}
