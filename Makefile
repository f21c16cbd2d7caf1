# One verb for each act, the same on a laptop and in CI. Each builds what it lacks; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

BIN  := .venv/bin
STEP := .ci/step
VENV := .build/venv.stamp
JAR  := functions/scurry/job/scurry-job.jar
CRDS := .build/crds.stamp
HELM := .build/helm.stamp

PROTOS     := $(wildcard protos/scurry/*/*.proto)
JAVA_MAIN  := $(shell find job/pom.xml job/src/main protos -type f 2>/dev/null)
JAVA_TESTS := $(shell find job/src/test -type f 2>/dev/null)
TESTS      := $(wildcard tests/unit tests/integration tests/e2e examples/python_model)

.PHONY: help build check test test-frameworks test-sql test-clients e2e protos manifests jar images test-images test-cluster bench chaos docs demo clean

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*##  */\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-15s %s\n", $$1, $$2}'

build: $(VENV) $(JAR)  ## virtual environment and jar; then .venv/bin/scurry is the command

demo: build  ## the digits demo: the whole job on real input
	$(BIN)/python -m examples.digits $(ARGS)

test: build $(CRDS) $(HELM) job/target/tests.stamp  ## every test: JUnit, then unit, integration and end-to-end
	$(BIN)/pytest $(TESTS) $(ARGS)

# Each framework in a process of its own: PyTorch's compiler and TensorFlow in one end it.
test-frameworks: build  ## the tests that need PyTorch or TensorFlow, in an environment of their own (4 GB)
	@if .ci/setup frameworks; then \
	  for tests in runtimes/test_torch*.py runtimes/test_tensorflow.py runtimes/test_openvino_formats.py test_*.py; do \
	    .build/frameworks/bin/python -m pytest tests/frameworks/$$tests $(ARGS) || exit 1; \
	  done; \
	else echo "left out: tests/frameworks, because PyTorch and TensorFlow could not be installed (see above)"; fi

test-sql: build  ## Flink SQL asks a model (examples/sql), in an environment of its own (0.9 GB)
	@if .ci/setup sql; then $(BIN)/pytest tests/e2e/test_sql.py $(ARGS); \
	else echo "left out: examples/sql, because PyFlink could not be installed (see above)"; fi

# The clients that cannot be in .venv run as programs of their own; what could not be installed is said and skipped.
test-clients: build  ## other people's clients, unmodified, against the running whole
	@.ci/setup clients
	$(BIN)/pytest tests/clients $(ARGS)

e2e: build  ## the end-to-end tests alone
	$(BIN)/pytest tests/e2e $(ARGS)

check: $(VENV) $(CRDS) $(HELM)  ## everything that can be said without running the job: style, types, layers, contracts, manifests
	@$(STEP) "style (ruff)" $(BIN)/ruff check .
	@$(STEP) "types (mypy --strict)" $(BIN)/mypy
	@$(STEP) "types of what users may write" $(BIN)/mypy tests/typing/api.py
	@$(STEP) "layers (import-linter)" $(BIN)/lint-imports
	@$(STEP) "generated code is what protos/ says" $(BIN)/pytest -q tests/unit/test_protos.py
	@$(STEP) "chart, manifests and images in deploy/" $(BIN)/pytest -q tests/unit/deploy
	@$(STEP) "names, codes and links in docs/" $(BIN)/pytest -q tests/unit/test_docs.py tests/unit/wire/test_names.py

docs: $(VENV)  ## check every link, table and name in the documentation
	$(BIN)/pytest -q tests/unit/test_docs.py

protos: $(VENV)  ## regenerate the Python side of protos/
	$(BIN)/python -m grpc_tools.protoc -Iprotos --python_out=functions --pyi_out=functions $(PROTOS)
	$(BIN)/python examples/sdk_function/describe.py

manifests: $(VENV) $(HELM)  ## rewrite what in deploy/ and tests/deploy/ is made from the chart and module.yaml
	$(BIN)/python deploy/generate.py

jar: $(JAR)  ## the job's jar alone

images: build  ## the images, without an engine (root, apt), and each process started in its own; TAG= RUNTIMES=
	ENGINE=buildah deploy/images/build
	deploy/images/smoke

test-images: build  ## the tests of the images: built, started, and refused with a mistake
	@.ci/setup images
	$(BIN)/pytest tests/images $(ARGS)

test-cluster: build $(HELM)  ## on the Kubernetes cluster of SCURRY_TEST_CONTEXT: install, roll, kill, upgrade; SCURRY_TEST_VALUES=
	$(BIN)/pytest tests/cluster -s $(ARGS)

bench: build  ## the benchmark; ARGS are handed on
	$(BIN)/python -m benchmarks $(ARGS)

chaos: build  ## kill, stop, cut and poison it for 3 minutes and hold it to its promises; MINUTES= SEED= RATE= FAULTS= MODE=soak
	$(BIN)/python -m tests.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(RATE),--rate $(RATE)) \
	  $(if $(FAULTS),--faults $(FAULTS)) $(if $(MODE),--mode $(MODE)) $(ARGS)

clean:  ## remove everything that was built
	rm -rf .build .venv job/target $(JAR) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# What is built, and from what.
$(VENV): pyproject.toml constraints.txt .ci/setup
	@.ci/setup venv && mkdir -p $(@D) && touch $@

$(CRDS): .ci/setup | $(VENV)
	@.ci/setup crds && touch $@

$(HELM): .ci/setup
	@.ci/setup helm && mkdir -p $(@D) && touch $@

job/target/scurry-job.jar: $(JAVA_MAIN)
	@.ci/setup jar

$(JAR): job/target/scurry-job.jar
	@cp $< $@

job/target/tests.stamp: $(JAVA_MAIN) $(JAVA_TESTS)
	@.ci/setup java-tests && touch $@
