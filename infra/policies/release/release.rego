# METADATA
# title: What may be released, and when another person has to agree
# description: >-
#   Input: request {requestedBy, risk, requireAttackReport, requireApproval}, version {model, version, digest, withdrawn,
#   signatureValid}, findings, evidence {dataCard?, metrics?, lineage?, attackReport?}, boms {platform, model}. A release
#   is allowed when nothing speaks against it; one denial is enough.
package saip.release

# METADATA
# entrypoint: true
default decision := {
	"allow": false,
	"requireApproval": false,
	"reasons": ["the input is not that of a release"],
	"rule": "deny:input",
}

decision := {
	"allow": false,
	"requireApproval": false,
	"reasons": sort([denial.reason | some denial in denials]),
	"rule": concat(":", ["deny", first_denial]),
} if {
	is_release
	count(denials) > 0
} else := {
	"allow": true,
	"requireApproval": true,
	"reasons": sort([reason | some reason in concerns]),
	"rule": concat(":", ["approval", min(object.keys(concerns))]),
} if {
	is_release
	count(concerns) > 0
} else := {
	"allow": true,
	"requireApproval": false,
	"reasons": [],
	"rule": "allow",
} if {
	is_release
}

is_release if {
	is_string(input.version.digest)
	is_string(input.request.requestedBy)
	is_object(input.evidence)
	is_object(input.boms)
	input.request.risk in {"low", "medium", "high"}
}

rules contains denial.rule if some denial in denials

# Missing evidence is named first: everything else may follow from it.
first_denial := "evidence-missing" if {
	"evidence-missing" in rules
} else := min(rules)

because(rule, reason) := {"rule": rule, "reason": reason}

# ---------------------------------------------------------------------------------------------------------------------
# What refuses a release: the rule's name, and the reason.

denials contains because("evidence-missing", sprintf("there is no evidence of the kind %s", [kind])) if {
	some kind in required
	not input.evidence[kind]
}

denials contains because("evidence-contradicts", finding) if some finding in input.findings

denials contains because("signature-invalid", "the registered version is not signed by this platform") if {
	not input.version.signatureValid == true
}

denials contains because("version-withdrawn", "the version was withdrawn") if not input.version.withdrawn == false

denials contains because("metric-below-floor", reason) if {
	some name, floor in floors
	low := measured(name)
	low < floor
	reason := sprintf("%s is at least %v with 95 %% confidence, and %v is asked for", [name, low, floor])
}

# A comparison with something that was not measured says nothing, so that has to be refused by itself.
denials contains because("metric-below-floor", sprintf("%s was not measured", [name])) if {
	input.evidence.metrics
	some name, _ in floors
	not measured(name)
}

denials contains because("too-few-samples", reason) if {
	samples := input.evidence.metrics.samples
	samples < minimum_samples
	reason := sprintf("it was measured on %d samples, and %d are asked for", [samples, minimum_samples])
}

denials contains because("license-not-allowed", sprintf("data under %s may not be released", [license])) if {
	some license in input.evidence.dataCard.licenses
	not license in allowed_licenses
}

denials contains because("license-not-allowed", "the data card names no licence") if {
	count(input.evidence.dataCard.licenses) == 0
}

denials contains because("attack-failed", attack_failed) if {
	input.evidence.attackReport
	not withstood
	demanding
}

denials contains because("attack-of-another-model", "the attack report is about other files") if {
	input.evidence.attackReport.digest != input.version.digest
}

denials contains because("bom-empty", sprintf("the %s bill of materials is empty", [kind])) if {
	some kind in ["platform", "model"]
	not has_components(kind)
}

# ---------------------------------------------------------------------------------------------------------------------
# What asks for another person: the rule's name → the reason.

concerns["requested"] := "the requester asks for another person" if input.request.requireApproval == true

concerns["high-risk"] := "the risk is high" if risk == "high"

concerns["no-attack-report"] := "nobody has attacked this version" if not input.evidence.attackReport

concerns["attack-failed"] := attack_failed if {
	input.evidence.attackReport
	not withstood
}

concerns["unknown-source"] := "the code that trained it cannot be named by a commit" if {
	not regex.match(`^[0-9a-f]{40,64}$`, input.evidence.lineage.gitCommit)
}

# ---------------------------------------------------------------------------------------------------------------------

required contains kind if some kind in ["dataCard", "lineage", "metrics"]

required contains "attackReport" if demanding

# Somebody relies on the report: it has to be there, and good.
demanding if risk == "high"

demanding if input.request.requireAttackReport == true

risk := "high" if {
	input.version.model in high_risk_models
} else := input.request.risk

# Measured at least as hard as asked for, and still right often enough.
withstood if {
	some measured in input.evidence.attackReport.worst
	measured.epsilon >= robustness.epsilon
	measured.accuracy.low >= robustness.accuracy
}

attack_failed := sprintf(
	"under attack at epsilon %v it is not shown to keep an accuracy of %v",
	[robustness.epsilon, robustness.accuracy],
)

# A floor holds for the lower end of the interval: what the test set can vouch for.
measured(name) := input.evidence.metrics.values[name].low

has_components(kind) if input.boms[kind].components > 0
