# METADATA
# title: Tools of agents
# description: >-
#   Input: agent, model, phase, tool, arguments, proposals (made so far in this task), task {requestedBy}, approval {by,
#   subjectDigest}, subjectDigest.
#   Phases: "offer" (may the model be told of the tool?), "call" (may this call happen?), "effect" (may an approved
#   proposal take effect?). Nothing is allowed unless a grant says so, and a denial overrides every grant.
package saip.tools

# METADATA
# entrypoint: true
default decision := {"allow": false, "rule": "default-deny", "approval": false}

decision := {"allow": false, "rule": "no-grant", "approval": false} if {
	not granted
} else := {"allow": false, "rule": concat(":", ["deny", min(denials)]), "approval": false} if {
	count(denials) > 0
} else := {"allow": true, "rule": concat(":", ["grant", input.agent, input.tool]), "approval": needs_approval} if {
	input.phase in {"offer", "call", "effect"}
}

granted if {
	is_string(input.agent)
	is_string(input.tool)
	input.tool in grants[input.agent]
	may_write
}

may_write if not input.tool in writes

may_write if input.model in writing_models

default needs_approval := false

needs_approval if input.tool in writes

# ---- arguments ------------------------------------------------------------------------------------------------------

checks_arguments if input.phase in {"call", "effect"}

denials contains "arguments-missing" if {
	checks_arguments
	not is_object(input.arguments)
}

denials contains sprintf("argument-unknown:%s", [name]) if {
	checks_arguments
	some name, _ in input.arguments
	not arguments[input.tool][name]
}

denials contains sprintf("argument-required:%s", [name]) if {
	checks_arguments
	some name in required[input.tool]
	not has_argument(name)
}

denials contains sprintf("argument-invalid:%s", [name]) if {
	checks_arguments
	some name, value in input.arguments
	form := arguments[input.tool][name]
	not valid(form, value)
}

has_argument(name) if input.arguments[name]

valid("name", value) if {
	is_string(value)
	count(value) <= 64
	regex.match(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`, value)
}

valid("number", value) if is_number_text(value)

valid("version", value) if is_number_text(value)

valid("version", value) if value in {"champion", "challenger", "latest"}

valid("limit", value) if {
	is_number(value)
	value >= 1
	value <= 50
	floor(value) == value
}

valid("reason", value) if {
	is_string(value)
	count(value) >= 1
	count(value) <= 300
}

is_number_text(value) if {
	is_string(value)
	regex.match(`^[1-9][0-9]{0,8}$`, value)
}

# ---- effects --------------------------------------------------------------------------------------------------------

# One proposal a task: a person is not asked again and again until they give in.
denials contains "second-proposal" if {
	input.phase == "call"
	needs_approval
	not input.proposals == 0
}

denials contains "not-a-write" if {
	input.phase == "effect"
	not needs_approval
}

denials contains "not-approved" if {
	input.phase == "effect"
	not approved
}

approved if {
	is_string(input.approval.by)
	input.approval.by != ""
	is_string(input.task.requestedBy)
	input.approval.by != input.task.requestedBy
	input.approval.subjectDigest == input.subjectDigest
	regex.match(`^[0-9a-f]{64}$`, input.subjectDigest)
}
