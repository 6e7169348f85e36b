# The supervisor prepares what the other logins use. It can neither sign nor decrypt with any key.
path "sys/mounts" {
  capabilities = ["read"]
}
path "sys/mounts/+" {
  capabilities = ["create", "update"]
}
path "sys/policies/acl/saip-*" {
  capabilities = ["create", "update"]
}
path "auth/approle/role/saip-*" {
  capabilities = ["create", "read", "update", "list"]
}
path "transit/keys/+" {
  capabilities = ["create", "read", "update"]
}
path "secret/data/saip/*" {
  capabilities = ["create", "read", "update"]
}
# How logins of the database are lent. It can borrow none itself.
path "database/config/saip" {
  capabilities = ["create", "update"]
}
path "database/roles/agent-readonly" {
  capabilities = ["create", "read", "update"]
}
path "auth/token/roles/saip-agent-task" {
  capabilities = ["create", "read", "update"]
}
