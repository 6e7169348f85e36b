package saip.authz

# What each role may ask for. A role that is not here may do nothing; an action that is not here nobody may do.
role_actions := {
	"viewer": (reading | {"metrics:read"}),
	"predictor": {"model:read", "model:infer", "workflow:start"},
	"trainer": ((reading | operating) | {
		"codec:decode",
		"dataset:write",
		"model:import",
		"model:infer",
		"model:rollback",
		"schedule:write",
	}),
	"approver": (reading | {"codec:decode", "workflow:approve"}),
	"redteam": (reading | {"codec:decode", "model:infer", "schedule:write", "workflow:start"}),
	"agent-operator": (reading | {"codec:decode", "workflow:start"}),
	"releaser": (reading | {"codec:decode", "model:rollback", "workflow:start"}),
	"auditor": (reading | {"audit:read", "codec:decode", "limit:read", "metrics:read", "misuse:read"}),
	"admin": ((reading | operating) | {
		"audit:erase",
		"audit:read",
		"cache:collect",
		"codec:decode",
		"dataset:write",
		"key:read",
		"key:write",
		"limit:read",
		"limit:write",
		"metrics:read",
		"misuse:read",
		"misuse:write",
		"model:import",
		"model:infer",
		"model:rollback",
		"model:serve",
		"score:read",
		"schedule:write",
		"workflow:approve",
	}),
}

reading := {
	"agent:read",
	"attack:read",
	"dataset:read",
	"model:read",
	"release:read",
	"schedule:read",
	"workflow:read",
}

operating := {"workflow:cancel", "workflow:retry", "workflow:start"}

# Workflow types that a role may start or, if it may write schedules, have started.
startable := {
	"predictor": {"batchScore"},
	"trainer": {"batchScore", "importModel", "rolloutModel", "searchHyperparameters", "trainRegisterDeploy"},
	"redteam": {"attackRetest", "batchScore", "measureExtraction"},
	"agent-operator": {"agentTask"},
	"releaser": {"rolloutModel", "signAndRelease"},
	"admin": {
		"agentTask",
		"attackRetest",
		"batchScore",
		"importModel",
		"measureExtraction",
		"rolloutModel",
		"searchHyperparameters",
		"signAndRelease",
		"trainRegisterDeploy",
	},
}
