package saip.release

# What an operator changes. Compile with `npm run policy:build` afterwards.

# Lowest acceptable value of a metric.
floors := {"accuracy": 0.85, "macroF1": 0.85}

minimum_samples := 1000

# What a version withstands: this accuracy under the worst of the attacks at this strength.
robustness := {"epsilon": 0.2, "accuracy": 0.8}

# Licences of training data under which a model may leave the platform.
allowed_licenses := {
	"https://creativecommons.org/licenses/by/4.0/",
	"https://creativecommons.org/licenses/by-sa/3.0/",
	"https://creativecommons.org/licenses/by-sa/4.0/",
	"https://creativecommons.org/publicdomain/zero/1.0/",
	"https://opensource.org/license/mit",
	"https://spdx.org/licenses/Apache-2.0",
	"https://spdx.org/licenses/BSD-3-Clause",
	"https://spdx.org/licenses/CC-BY-4.0",
	"https://spdx.org/licenses/CC-BY-SA-4.0",
	"https://spdx.org/licenses/CC0-1.0",
	"https://spdx.org/licenses/MIT",
	"https://www.apache.org/licenses/LICENSE-2.0",
}

# Models whose risk is high whatever a request says.
high_risk_models := set()
