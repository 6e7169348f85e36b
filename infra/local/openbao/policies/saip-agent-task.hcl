# What a task of an agent may ask for: one read-only login of the database.
path "database/creds/agent-readonly" {
  capabilities = ["read"]
}
