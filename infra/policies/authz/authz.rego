# METADATA
# title: Authorization of the control and data plane
# description: >-
#   Input: principal {sub, roles, tenant, scope? {actions, models?}}, action,
#   resource {tenant?, requestedBy?, workflowType?, model?, owner?, roles?, flagged?}. A scope is that of an API key.
#   Nothing is allowed unless a grant says so, and a denial overrides every grant.
package saip.authz

# METADATA
# entrypoint: true
default decision := {"allow": false, "rule": "default-deny"}

decision := {"allow": false, "rule": concat(":", ["deny", min(denials)])} if {
	count(denials) > 0
} else := {"allow": true, "rule": min(grants)} if {
	count(grants) > 0
}

grants contains concat(":", ["role", role]) if {
	some role in input.principal.roles
	input.action in role_actions[role]
	applicable(role)
}

# Who started a workflow may look at it, stop it, and have what it predicted, whatever their roles.
grants contains "requester" if {
	input.action in {"score:read", "workflow:cancel", "workflow:read"}
	is_requester
}

# Starting a workflow and having a schedule start it are granted by its type.
typed_actions := {"schedule:write", "workflow:start"}

applicable(_) if not input.action in typed_actions

applicable(role) if {
	input.action in typed_actions
	input.resource.workflowType in startable[role]
}

# Everybody who signed in makes and ends keys of their own, with no more than their own roles.
grants contains "own-key" if {
	input.action in {"key:read", "key:write"}
	has_subject
	object.get(input.resource, "owner", input.principal.sub) == input.principal.sub
	every role in object.get(input.resource, "roles", []) {
		role in input.principal.roles
	}
}

# A key does what it was made for, whatever its owner may do.
denials contains "key-scope" if {
	input.principal.scope
	not input.action in input.principal.scope.actions
}

denials contains "key-model" if {
	input.principal.scope.models
	input.action in {"model:infer", "model:read"}
	not object.get(input.resource, "model", "") in input.principal.scope.models
}

# A file that is scored is many inferences, by one model.
denials contains "key-scope" if {
	input.principal.scope
	starts_scoring
	not "model:infer" in input.principal.scope.actions
}

denials contains "key-model" if {
	input.principal.scope.models
	starts_scoring
	model := input.resource.model
	not model in input.principal.scope.models
}

starts_scoring if {
	input.action == "workflow:start"
	input.resource.workflowType == "batchScore"
}

# It never decides, decodes, audits, or makes other keys, whatever is written in its scope.
denials contains "key-by-key" if {
	input.principal.scope
	input.action in {
		"audit:erase", "audit:read", "codec:decode", "key:read", "key:write", "limit:write", "misuse:write",
		"workflow:approve",
	}
}

# Nobody judges the own queries.
denials contains "own-flag" if {
	input.action == "misuse:write"
	object.get(input.resource, "flagged", "") == object.get(input.principal, "sub", "-")
}

denials contains "no-subject" if not has_subject

denials contains "other-tenant" if {
	input.resource.tenant
	not same_tenant
}

denials contains "approver-is-requester" if {
	input.action == "workflow:approve"
	is_requester
}

# Without knowing who asked, nobody can be shown to be another person.
denials contains "requester-unknown" if {
	input.action == "workflow:approve"
	not input.resource.requestedBy
}

same_tenant if input.resource.tenant == input.principal.tenant

has_subject if {
	is_string(input.principal.sub)
	input.principal.sub != ""
}

is_requester if {
	has_subject
	input.resource.requestedBy == input.principal.sub
}
