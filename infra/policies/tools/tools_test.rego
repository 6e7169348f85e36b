package saip.tools_test

import data.saip.tools

digest := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

call(tool, arguments) := decision if {
	decision := tools.decision with input as {
		"agent": "model-analyst",
		"model": "remote",
		"phase": "call",
		"tool": tool,
		"arguments": arguments,
		"proposals": 0,
		"task": {"requestedBy": "ann"},
	}
}

effect(by, approved_digest) := decision if {
	decision := tools.decision with input as {
		"agent": "model-analyst",
		"model": "remote",
		"phase": "effect",
		"tool": "propose_rollback",
		"arguments": {"model": "mnist-cnn", "toVersion": "1", "reason": "worse"},
		"proposals": 1,
		"task": {"requestedBy": "ann"},
		"approval": {"by": by, "subjectDigest": approved_digest},
		"subjectDigest": digest,
	}
}

test_nothing_is_allowed_by_default if {
	every broken in [{}, null, "x", {"agent": "model-analyst"}, {"agent": 7, "tool": ["list_models"]}] {
		not tools.decision.allow with input as broken
	}
}

test_a_tool_without_a_grant_does_not_exist if {
	every tool in ["delete_model", "promote", "LIST_MODELS", "list_models ", "", "__proto__"] {
		call(tool, {}) == {"allow": false, "rule": "no-grant", "approval": false}
	}
}

test_an_agent_without_grants_has_no_tools if {
	decision := tools.decision with input as {"agent": "other", "phase": "offer", "tool": "list_models"}
	decision.rule == "no-grant"
}

test_an_unknown_phase_is_denied if {
	every phase in ["", "execute", null] {
		not tools.decision.allow with input as {
			"agent": "model-analyst",
			"phase": phase,
			"tool": "list_models",
			"arguments": {},
		}
	}
}

test_reads_are_granted if {
	call("list_models", {}) == {"allow": true, "rule": "grant:model-analyst:list_models", "approval": false}
	call("list_models", {"limit": 5}).allow
	call("get_run_metrics", {"model": "mnist-cnn"}).allow
	call("get_run_metrics", {"model": "mnist-cnn", "version": "champion"}).allow
	call("compare_versions", {"model": "mnist-cnn", "first": "1", "second": "2"}).allow
}

test_hostile_arguments_are_denied if {
	every name in ["../etc", "a'; DROP TABLE model_versions; --", "A", "", "x y", "mnist\n", "-x"] {
		call("get_run_metrics", {"model": name}).rule == "deny:argument-invalid:model"
	}
	every value in [0, 51, -1, 1.5, "5", null, true, [1], {"a": 1}] {
		not call("list_models", {"limit": value}).allow
	}
	every version in ["0", "01", "1 OR 1=1", "99999999999", 1, null, "Champion"] {
		not call("get_run_metrics", {"model": "m", "version": version}).allow
	}
	call("list_models", {"sql": "SELECT 1"}).rule == "deny:argument-unknown:sql"
	call("get_run_metrics", {}).rule == "deny:argument-required:model"
	call("list_models", null).rule == "deny:arguments-missing"
	not call("list_models", ["x"]).allow
}

test_a_proposal_needs_approval if {
	call("propose_rollback", {"model": "m", "reason": "worse"}).approval
	not call("propose_rollback", {"model": "m", "toVersion": "champion", "reason": "worse"}).allow
	not call("propose_rollback", {"model": "m", "reason": ""}).allow
}

test_one_proposal_a_task if {
	every proposals in [1, 2, null, "0"] {
		not tools.decision.allow with input as {
			"agent": "model-analyst",
			"model": "remote",
			"phase": "call",
			"tool": "propose_rollback",
			"arguments": {"model": "m", "reason": "worse"},
			"proposals": proposals,
			"task": {"requestedBy": "ann"},
		}
	}
}

test_an_effect_needs_another_persons_approval_of_exactly_this if {
	effect("bob", digest).allow
	effect("ann", digest).rule == "deny:not-approved"
	effect("", digest).rule == "deny:not-approved"
	effect("bob", "0000").rule == "deny:not-approved"
	effect(null, digest).rule == "deny:not-approved"
}

test_a_read_has_no_effect if {
	decision := tools.decision with input as {
		"agent": "model-analyst",
		"model": "remote",
		"phase": "effect",
		"tool": "list_models",
		"arguments": {},
		"task": {"requestedBy": "ann"},
		"approval": {"by": "bob", "subjectDigest": digest},
		"subjectDigest": digest,
	}
	decision.rule == "deny:not-a-write"
}

test_a_small_model_gets_no_tool_with_an_effect if {
	every model in ["embedded", "", null, "Remote"] {
		decision := tools.decision with input as {
			"agent": "model-analyst",
			"model": model,
			"phase": "offer",
			"tool": "propose_rollback",
		}
		decision.rule == "no-grant"
	}
	offered := tools.decision with input as {
		"agent": "model-analyst",
		"model": "embedded",
		"phase": "offer",
		"tool": "list_models",
	}
	offered.allow
}
