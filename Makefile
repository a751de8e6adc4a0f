# Regent's commands. Each does its own set-up (scripts/setup.sh): Rust, a C++ compiler, make and Python 3 are enough.

.DEFAULT_GOAL := help
.PHONY: help test test-faults test-steady test-hostile test-peeking test-watching test-model test-mutants test-bars test-signing test-openapi test-browser demo check fix bench bench-data bench-serve

help: ## List these commands.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

test: ## Run every test, the tidiness of the house included, and a few of the faults.
	@scripts/with_tools.sh cargo test --locked
	@scripts/with_tools.sh cargo test --locked --test power --test steady

test-faults: ## Kill, refuse, fill, crowd and mistime at every point, and print what came of it (minutes; needs strace).
	@scripts/faults.sh

test-steady: ## Stop, kill, fill, double and swap servers under load fifty times, and print what came of it (minutes).
	@scripts/steady.sh

test-hostile: ## Attack both doors with everything strangers send, and print what came of it (minutes).
	@scripts/hostile.sh

test-mutants: ## Break what decides in every small way, and see what no test notices (hours).
	@scripts/mutants.sh

test-bars: ## Replay the weather and variants of it, and hold the demonstration to its promises (minutes).
	@scripts/with_tools.sh cargo test --locked --release --test bars -- --nocapture

test-openapi: ## Let Schemathesis hold the server to its own description (minutes; brings it once).
	@scripts/test_openapi.sh

test-browser: ## Let Chromium show the viewer at /docs (needs it: apt-get install chromium).
	@scripts/test_browser.sh

test-signing: ## Let Python's model-signing and Regent verify each other's signatures.
	@scripts/test_signing.sh

test-peeking: ## Show by simulation that looking often costs nothing: how often a change is wrong, and what being right costs.
	@scripts/with_tools.sh cargo test --locked --release --test peeking -- --nocapture --test-threads 1

test-watching: ## Show by simulation how often drift is found where nothing changed, and how soon where something did.
	@scripts/with_tools.sh cargo test --locked --release --test watching -- --nocapture --test-threads 1

test-model: ## Explore every decision of the whole domain, and two governors that stop anywhere (minutes).
	@scripts/with_tools.sh cargo test --locked --release --lib govern::tests::model -- --include-ignored --nocapture --test-threads 1

demo: ## Watch a governor run fifty years of a weather model.
	@scripts/demo.sh

check: ## The gate: format, lints, tests, documentation, dependencies. Changes nothing.
	@scripts/check.sh

fix: ## Format, and apply what clippy can mend by itself.
	@scripts/fix.sh

bench: ## Measure what Regent promises to be fast.
	@scripts/with_tools.sh cargo bench --locked

bench-data: ## Compare two files of a million rows, beside pandas, polars, Evidently and pandera (minutes; brings them once).
	@scripts/bench_data.sh

bench-serve: ## Load `regent serve` beside its limit, FastAPI and MLServer (half an hour; brings them once; needs wrk).
	@scripts/bench_serve.sh
