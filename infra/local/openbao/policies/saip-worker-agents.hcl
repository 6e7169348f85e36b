# The agent pool borrows database logins for its tasks, through tokens of their own; it signs nothing.
# Payloads of workflows: new data keys, and the unwrapping of old ones.
path "transit/datakey/plaintext/payloads" {
  capabilities = ["update"]
}
path "transit/decrypt/payloads" {
  capabilities = ["update"]
}
path "secret/data/saip/postgres/worker-agents" {
  capabilities = ["read"]
}
# Keys of language model servers.
path "secret/data/saip/llm" {
  capabilities = ["read"]
}
# A token for each task; only that may borrow. Accessors cannot be listed, so only known tokens can be revoked.
path "auth/token/create/saip-agent-task" {
  capabilities = ["update"]
}
path "auth/token/revoke-accessor" {
  capabilities = ["update"]
}
