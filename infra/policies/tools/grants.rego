package saip.tools

# Which agent may call which tool. A tool that is not here does not exist for the agent.
grants := {"model-analyst": {
	"list_models",
	"get_run_metrics",
	"compare_versions",
	"propose_rollback",
}}

# Tools whose effect needs another person's approval. Everything else must be read only.
writes := {"propose_rollback"}

# Chat models that are given tools with an effect. The embedded one is too small to tell when a rollback is called for.
writing_models := {"remote"}

# What the arguments of a tool may look like: each argument that is given is listed here and satisfies its rule.
arguments := {
	"list_models": {"limit": "limit"},
	"get_run_metrics": {"model": "name", "version": "version"},
	"compare_versions": {"model": "name", "first": "version", "second": "version"},
	"propose_rollback": {"model": "name", "toVersion": "number", "reason": "reason"},
}

required := {
	"list_models": set(),
	"get_run_metrics": {"model"},
	"compare_versions": {"model", "first", "second"},
	"propose_rollback": {"model", "reason"},
}
