package saip.authz

# What each role may ask for. A role that is not here may do nothing; an action that is not here nobody may do.
role_actions := {
	"viewer": (reading | {"metrics:read"}),
	"predictor": {"model:read", "model:infer"},
	"trainer": ((reading | operating) | {"codec:decode", "model:infer", "model:rollback", "schedule:write"}),
	"approver": (reading | {"codec:decode", "workflow:approve"}),
	"redteam": (reading | {"model:infer"}),
	"agent-operator": reading,
	"releaser": (reading | {"workflow:start", "model:rollback"}),
	"auditor": (reading | {"audit:read", "codec:decode", "metrics:read"}),
	"admin": ((reading | operating) | {
		"audit:read",
		"codec:decode",
		"metrics:read",
		"model:infer",
		"model:rollback",
		"schedule:write",
		"workflow:approve",
	}),
}

reading := {"dataset:read", "model:read", "schedule:read", "workflow:read"}

operating := {"workflow:cancel", "workflow:retry", "workflow:start"}

# Workflow types that a role which may start workflows may start.
startable := {
	"trainer": {"rolloutModel", "trainRegisterDeploy"},
	"releaser": {"rolloutModel"},
	"admin": {"rolloutModel", "trainRegisterDeploy"},
}
