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
	decide(["agent-operator"], "workflow:start", {"workflowType": "agentTask"}).allow
	decide(["releaser"], "workflow:start", {"workflowType": "signAndRelease"}).allow
	every workflow in ["agentTask", "attackRetest", "signAndRelease"] {
		not decide(["trainer"], "workflow:start", {"workflowType": workflow}).allow
		decide(["admin"], "workflow:start", {"workflowType": workflow}).allow
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
