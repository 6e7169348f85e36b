package saip.authz_test

import data.saip.authz

person(sub, roles) := {"sub": sub, "roles": roles, "tenant": "default"}

decide(roles, action, resource) := decision if {
	decision := authz.decision with input as {
		"principal": person("ann", roles),
		"action": action,
		"resource": resource,
	}
}

test_nothing_is_allowed_by_default if {
	decide([], "workflow:read", {}) == {"allow": false, "rule": "default-deny"}
	decide(["admin"], "workflow:invent", {}) == {"allow": false, "rule": "default-deny"}
	decide(["root"], "workflow:read", {}) == {"allow": false, "rule": "default-deny"}
}

test_malformed_input_is_denied if {
	every broken in [{}, null, "x", {"principal": {"roles": ["admin"]}, "action": "model:read"}] {
		authz.decision.allow == false with input as broken
	}
	authz.decision.allow == false with input as {
		"principal": {"sub": "ann", "roles": "admin", "tenant": "default"},
		"action": "model:read",
	}
}

test_grant_names_the_role if {
	decide(["viewer"], "workflow:read", {}) == {"allow": true, "rule": "role:viewer"}
	decide(["predictor"], "model:infer", {}) == {"allow": true, "rule": "role:predictor"}
}

test_start_depends_on_the_workflow_type if {
	decide(["trainer"], "workflow:start", {"workflowType": "trainRegisterDeploy"}).allow
	decide(["trainer"], "workflow:start", {"workflowType": "searchHyperparameters"}).allow
	decide(["admin"], "workflow:start", {"workflowType": "searchHyperparameters"}).allow
	not decide(["redteam"], "workflow:start", {"workflowType": "searchHyperparameters"}).allow
	not decide(["admin"], "workflow:start", {"workflowType": "runTrial"}).allow
	decide(["releaser"], "workflow:start", {"workflowType": "rolloutModel"}).allow
	not decide(["releaser"], "workflow:start", {"workflowType": "trainRegisterDeploy"}).allow
	not decide(["trainer"], "workflow:start", {}).allow
	not decide(["admin"], "workflow:start", {"workflowType": "invented"}).allow
}

test_each_pool_of_people_starts_its_own_workflow if {
	decide(["redteam"], "workflow:start", {"workflowType": "attackRetest"}).allow
	decide(["redteam"], "workflow:start", {"workflowType": "measureExtraction"}).allow
	decide(["agent-operator"], "workflow:start", {"workflowType": "agentTask"}).allow
	decide(["releaser"], "workflow:start", {"workflowType": "signAndRelease"}).allow
	every workflow in ["agentTask", "attackRetest", "measureExtraction", "signAndRelease"] {
		not decide(["trainer"], "workflow:start", {"workflowType": workflow}).allow
		decide(["admin"], "workflow:start", {"workflowType": workflow}).allow
	}
}

test_files_are_scored_by_those_who_may_ask_models if {
	every role in ["admin", "predictor", "redteam", "trainer"] {
		decide([role], "workflow:start", {"workflowType": "batchScore"}).allow
	}
	every role in ["agent-operator", "approver", "auditor", "releaser", "viewer"] {
		not decide([role], "workflow:start", {"workflowType": "batchScore"}).allow
	}
	not decide(["predictor"], "workflow:start", {"workflowType": "trainRegisterDeploy"}).allow
	not decide(["predictor"], "schedule:write", {"workflowType": "batchScore"}).allow
}

test_predictions_of_a_file_are_for_who_asked if {
	mine := {"tenant": "default", "requestedBy": "ann"}
	decide([], "score:read", mine) == {"allow": true, "rule": "requester"}
	decide(["predictor"], "workflow:read", mine) == {"allow": true, "rule": "requester"}
	not decide(["viewer", "trainer"], "score:read", {"tenant": "default", "requestedBy": "bob"}).allow
	not decide(["predictor"], "workflow:read", {"tenant": "default", "requestedBy": "bob"}).allow
	not decide(["predictor"], "score:read", {"tenant": "other", "requestedBy": "ann"}).allow
}

scoring_key(actions) := {
	"sub": "ann",
	"roles": ["predictor"],
	"tenant": "default",
	"scope": {"id": "k1", "actions": actions, "models": ["iris"]},
}

start_scoring(actions, resource) := decision if {
	decision := authz.decision with input as {
		"principal": scoring_key(actions),
		"action": "workflow:start",
		"resource": object.union({"workflowType": "batchScore"}, resource),
	}
}

test_a_key_scores_files_with_its_models_alone if {
	both := ["model:infer", "workflow:start"]
	start_scoring(both, {}).allow
	start_scoring(both, {"model": "iris"}).allow
	start_scoring(both, {"model": "wine"}) == {"allow": false, "rule": "deny:key-model"}
	start_scoring(["workflow:start"], {"model": "iris"}) == {"allow": false, "rule": "deny:key-scope"}
}

test_models_from_elsewhere_are_brought_by_those_who_train if {
	decide(["trainer"], "model:import", {}).allow
	decide(["admin"], "model:import", {}).allow
	decide(["trainer"], "workflow:start", {"workflowType": "importModel"}).allow
	decide(["admin"], "workflow:start", {"workflowType": "importModel"}).allow
	every role in ["viewer", "predictor", "approver", "redteam", "agent-operator", "releaser", "auditor"] {
		not decide([role], "model:import", {}).allow
		not decide([role], "workflow:start", {"workflowType": "importModel"}).allow
	}
}

test_a_schedule_depends_on_what_it_starts if {
	decide(["trainer"], "schedule:write", {"workflowType": "trainRegisterDeploy"}).allow
	decide(["redteam"], "schedule:write", {"workflowType": "attackRetest"}).allow
	not decide(["redteam"], "schedule:write", {"workflowType": "trainRegisterDeploy"}).allow
	not decide(["releaser"], "schedule:write", {"workflowType": "signAndRelease"}).allow
	not decide(["admin"], "schedule:write", {}).allow
}

test_approver_is_another_person if {
	decide(["approver"], "workflow:approve", {"requestedBy": "bob"}).allow
	decide(["approver"], "workflow:approve", {"requestedBy": "ann"}) == {
		"allow": false,
		"rule": "deny:approver-is-requester",
	}
	not decide(["admin", "approver"], "workflow:approve", {"requestedBy": "ann"}).allow
	decide(["admin"], "workflow:approve", {}) == {"allow": false, "rule": "deny:requester-unknown"}
	not decide(["trainer"], "workflow:approve", {"requestedBy": "bob"}).allow
}

test_requester_may_cancel if {
	decide(["viewer"], "workflow:cancel", {"requestedBy": "ann"}) == {"allow": true, "rule": "requester"}
	not decide(["viewer"], "workflow:cancel", {"requestedBy": "bob"}).allow
	decide(["trainer"], "workflow:cancel", {"requestedBy": "bob"}).allow
	not decide(["viewer"], "workflow:retry", {"requestedBy": "ann"}).allow
}

test_tenants_are_apart if {
	decide(["admin"], "model:read", {"tenant": "default"}).allow
	decide(["admin"], "model:read", {"tenant": "other"}) == {"allow": false, "rule": "deny:other-tenant"}
	not decide(["viewer"], "workflow:cancel", {"tenant": "other", "requestedBy": "ann"}).allow
	authz.decision.rule == "deny:other-tenant" with input as {
		"principal": {"sub": "ann", "roles": ["admin"]},
		"action": "model:read",
		"resource": {"tenant": "default"},
	}
}

test_trainers_add_data_sets if {
	decide(["trainer"], "dataset:write", {}).allow
	decide(["admin"], "dataset:write", {}).allow
	every role in ["viewer", "predictor", "approver", "redteam", "agent-operator", "releaser", "auditor"] {
		not decide([role], "dataset:write", {}).allow
	}
	decide(["viewer"], "dataset:read", {}).allow
}

by_key(scope, roles, action, resource) := decision if {
	decision := authz.decision with input as {
		"principal": object.union(person("ann", roles), {"scope": scope}),
		"action": action,
		"resource": resource,
	}
}

test_a_key_does_what_it_was_made_for if {
	scope := {"id": "k", "actions": ["model:infer", "model:read"], "models": ["mnist"]}
	by_key(scope, ["predictor"], "model:infer", {"model": "mnist"}) == {"allow": true, "rule": "role:predictor"}
	by_key(scope, ["predictor"], "model:infer", {"model": "other"}) == {"allow": false, "rule": "deny:key-model"}
	not by_key(scope, ["predictor"], "model:infer", {}).allow
	by_key(scope, ["trainer"], "dataset:read", {}) == {"allow": false, "rule": "deny:key-scope"}
	not by_key(scope, ["viewer"], "model:infer", {"model": "mnist"}).allow
	by_key({"id": "k", "actions": ["model:infer"]}, ["predictor"], "model:infer", {"model": "any"}).allow
}

test_a_key_never_decides_or_makes_keys if {
	every action in [
		"audit:erase", "audit:read", "codec:decode", "key:read", "key:write", "limit:write", "misuse:write",
		"workflow:approve",
	] {
		scope := {"id": "k", "actions": [action]}
		by_key(scope, ["admin"], action, {"requestedBy": "bob"}) == {"allow": false, "rule": "deny:key-by-key"}
	}
}

test_everybody_makes_keys_of_their_own if {
	decide(["predictor"], "key:write", {"roles": ["predictor"]}) == {"allow": true, "rule": "own-key"}
	decide(["predictor"], "key:write", {"owner": "ann", "roles": ["predictor"]}).allow
	decide(["predictor"], "key:write", {"roles": ["predictor", "trainer"]}).rule == "default-deny"
	not decide(["predictor"], "key:write", {"owner": "bob"}).allow
	not decide(["predictor"], "key:read", {"owner": "bob"}).allow
	decide(["admin"], "key:write", {"owner": "bob", "roles": ["trainer"]}) == {"allow": true, "rule": "role:admin"}
	not decide(["admin"], "key:write", {"owner": "bob", "tenant": "other"}).allow
}

test_the_audit_log_is_read_by_auditors_and_erased_by_administrators if {
	every role in ["auditor", "admin"] {
		decide([role], "audit:read", {}).allow
	}
	decide(["admin"], "audit:erase", {}).allow
	every role in ["auditor", "viewer", "approver", "releaser", "trainer"] {
		not decide([role], "audit:erase", {}).allow
	}
	not decide(["viewer"], "audit:read", {}).allow
}

test_what_is_served_at_all_is_for_administrators if {
	decide(["admin"], "model:serve", {"model": "mnist"}).allow
	every role in ["viewer", "predictor", "trainer", "approver", "redteam", "agent-operator", "releaser", "auditor"] {
		not decide([role], "model:serve", {"model": "mnist"}).allow
	}
	not by_key({"id": "k", "actions": ["model:infer"]}, ["admin"], "model:serve", {"model": "mnist"}).allow
}

test_limits_and_flags_are_the_business_of_administrators if {
	every action in ["limit:read", "limit:write", "misuse:read", "misuse:write"] {
		decide(["admin"], action, {}).allow
		not decide(["predictor"], action, {}).allow
	}
	decide(["auditor"], "misuse:read", {}).allow
	not decide(["auditor"], "misuse:write", {}).allow
}

test_nobody_lifts_the_own_flag if {
	decide(["admin"], "misuse:write", {"flagged": "bob"}).allow
	decide(["admin"], "misuse:write", {"flagged": "ann"}) == {"allow": false, "rule": "deny:own-flag"}
}
