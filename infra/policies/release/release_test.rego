package saip.release_test

import data.saip.release.decision

digest := "d1"

# A version with everything in order: only nobody has attacked it.
ordinary := {
	"request": {"requestedBy": "ann", "risk": "medium", "requireAttackReport": false, "requireApproval": false},
	"version": {
		"model": "mnist-softmax",
		"version": "1",
		"digest": digest,
		"withdrawn": false,
		"signatureValid": true,
	},
	"findings": [],
	"evidence": {
		"dataCard": {"sha256": "c", "licenses": ["https://creativecommons.org/licenses/by-sa/3.0/"]},
		"metrics": {"sha256": "m", "samples": 10000, "values": {"accuracy": interval(0.92), "macroF1": interval(0.91)}},
		"lineage": {"sha256": "l", "gitCommit": "0123456789012345678901234567890123456789"},
	},
	"boms": {"platform": {"sha256": "p", "components": 700}, "model": {"sha256": "b", "components": 5}},
}

attacked := object.union(ordinary, {"evidence": {"attackReport": {"sha256": "a", "digest": digest, "worst": worst(0.2, 0.85)}}})

worst(epsilon, value) := [{"epsilon": 0.1, "accuracy": interval(0.9)}, {"epsilon": epsilon, "accuracy": interval(value)}]

interval(value) := {"value": value, "low": value - 0.01, "high": value + 0.01}

# `ordinary` with the value at a path replaced.
with_value(path, value) := json.patch(ordinary, [{"op": "add", "path": path, "value": value}])

attacked_with(path, value) := json.patch(attacked, [{"op": "add", "path": path, "value": value}])

without(path) := json.remove(ordinary, [path])

denied(request, rule) if {
	answer := decision with input as request
	answer.allow == false
	answer.requireApproval == false
	answer.rule == concat(":", ["deny", rule])
	count(answer.reasons) > 0
}

asks(request, rule) if {
	answer := decision with input as request
	answer.allow == true
	answer.requireApproval == true
	answer.rule == concat(":", ["approval", rule])
}

test_attacked_version_needs_nobody if {
	decision == {"allow": true, "requireApproval": false, "reasons": [], "rule": "allow"} with input as attacked
}

test_unattacked_version_needs_another_person if asks(ordinary, "no-attack-report")

test_request_asks_for_another_person if asks(attacked_with("/request/requireApproval", true), "requested")

test_high_risk_needs_another_person if asks(attacked_with("/request/risk", "high"), "high-risk")

test_failed_attack_needs_another_person if {
	every measured in [worst(0.2, 0.805), worst(0.15, 0.99), []] {
		asks(attacked_with("/evidence/attackReport/worst", measured), "attack-failed")
	}
}

test_local_changes_need_another_person if {
	asks(attacked_with("/evidence/lineage/gitCommit", "0123456789012345678901234567890123456789-dirty"), "unknown-source")
}

test_every_required_kind if {
	every kind in ["dataCard", "metrics", "lineage"] {
		denied(without(concat("/", ["evidence", kind])), "evidence-missing")
	}
}

test_high_risk_without_attack if denied(with_value("/request/risk", "high"), "evidence-missing")

test_attack_asked_for if denied(with_value("/request/requireAttackReport", true), "evidence-missing")

test_listed_model_is_of_high_risk if {
	answer := decision with input as ordinary with data.saip.release.high_risk_models as {"mnist-softmax"}
	answer.rule == "deny:evidence-missing"
}

test_high_risk_with_failed_attack if {
	request := json.patch(attacked, [
		{"op": "add", "path": "/evidence/attackReport/worst", "value": worst(0.2, 0.1)},
		{"op": "add", "path": "/request/risk", "value": "high"},
	])
	denied(request, "attack-failed")
}

test_attack_of_other_files if {
	denied(attacked_with("/evidence/attackReport/digest", "other"), "attack-of-another-model")
}

test_low_metric if denied(with_value("/evidence/metrics/values/accuracy", interval(0.855)), "metric-below-floor")

test_metric_not_measured if denied(without("evidence/metrics/values/accuracy"), "metric-below-floor")

test_few_samples if denied(with_value("/evidence/metrics/samples", 999), "too-few-samples")

test_licence if denied(with_value("/evidence/dataCard/licenses", ["https://example.org/own"]), "license-not-allowed")

test_licence_by_spdx_id if {
	not denied(with_value("/evidence/dataCard/licenses", ["https://spdx.org/licenses/CC0-1.0"]), "license-not-allowed")
	denied(with_value("/evidence/dataCard/licenses", ["https://spdx.org/licenses/CC-BY-NC-4.0"]), "license-not-allowed")
}

test_no_licence if denied(with_value("/evidence/dataCard/licenses", []), "license-not-allowed")

test_withdrawn if denied(with_value("/version/withdrawn", true), "version-withdrawn")

test_withdrawn_unknown if denied(without("version/withdrawn"), "version-withdrawn")

test_signature if denied(with_value("/version/signatureValid", false), "signature-invalid")

test_contradiction if denied(with_value("/findings", ["run r says otherwise"]), "evidence-contradicts")

test_empty_boms if {
	every kind in ["platform", "model"] {
		denied(with_value(concat("/", ["", "boms", kind, "components"]), 0), "bom-empty")
	}
}

test_several_denials_name_the_evidence_first if {
	request := json.patch(without("evidence/lineage"), [{"op": "add", "path": "/version/withdrawn", "value": true}])
	answer := decision with input as request
	answer.rule == "deny:evidence-missing"
	count(answer.reasons) == 2
}

test_no_input if {
	every request in [{}, {"version": {}}, with_value("/request/risk", "none"), without("boms")] {
		denied(request, "input")
	}
}
