# Every command of the course. `make` alone lists them. Needs GNU make, a POSIX shell and Python 3.11 to 3.13.

# An interpreter of your own choice: make lab PYTHON=/path/to/python3.12
PYTHON ?=
# One lesson instead of all: make notebooks LESSON=01
LESSON ?=
# Further arguments: make lab LAB_ARGS=--port=9999, make test TEST_ARGS='-k crossings'
LAB_ARGS ?=
TEST_ARGS ?=
# Graded coursework: make grade SUBMISSIONS=dir OUT=dir; UNSAFE=1 grades without a sandbox
SUBMISSIONS ?=
OUT ?=
UNSAFE ?=
GRADE_ARGS ?=
# The public address: make address REPOSITORY=https://github.com/owner/name
REPOSITORY :=

export PYTHON
# Another installation's modules must not get into this one.
unexport PYTHONHOME PYTHONPATH

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
TOOLS := .tools/$(notdir $(BIN))
CODE := $(wildcard lossacc_helpers lessons tests tools benchmarks coursework)

.DEFAULT_GOAL := help
.PHONY: help install lab test test-slow notebooks interface recordings evaluate-clinic coursework course grade \
	feedback mark bench lock address format clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '%-18s %s\n' "$$name" "$$text"; done

install: ## set up .venv from requirements.lock
	@sh tools/install.sh

lab: install ## open the course in JupyterLab
	@sh tools/lab.sh $(LAB_ARGS)

test: install ## run every check: tests, doctests, lint, types, import contract, notebooks
	@# Three workers on two cores: tests in the browser and in the sandbox wait much; a fourth takes a sixth more of the
	@# processors, and no less time. TEST_ARGS='-n 2' needs less memory.
	@# The tests start some hundred processes; each would compile the package anew where Python may keep nothing.
	@unset PYTHONDONTWRITEBYTECODE; \
		$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(TEST_ARGS)

test-slow: install ## run what takes minutes and `make test` leaves out
	@unset PYTHONDONTWRITEBYTECODE; $(BIN)/python -m pytest -n 2 --dist loadscope -m slow $(TEST_ARGS)

notebooks: install ## build and run notebooks/ from lessons/ (LESSON=01 for one)
	@$(BIN)/python -m tools.build_notebooks $(LESSON)
	@$(BIN)/python -m tools.readme_picture
	@$(BIN)/python -m tools.claims

interface: install ## write docs/api.md, the package's interface, from its docstrings
	@$(BIN)/python -m tools.api

recordings: install ## train anew what a lesson only replays, for hours: make recordings LESSON=03
	@$(BIN)/python -m tools.record_lesson_$(or $(LESSON),$(error name a lesson: make recordings LESSON=03))

evaluate-clinic: install ## measure the clinic on published logs and on runs with known causes
	@$(BIN)/python -m tools.evaluate_clinic --write

coursework: install ## build coursework/release/ from its sources, and prove how each assignment is marked
	@$(BIN)/python -m tools.build_coursework $(if $(UNSAFE),--unsafe)

grade: install ## mark coursework: make grade SUBMISSIONS=dir OUT=dir (INSTRUCTORS.md)
	@$(BIN)/python -m tools.grade '$(or $(SUBMISSIONS),$(error name two folders: make grade SUBMISSIONS=dir OUT=dir))' \
		'$(or $(OUT),$(error name two folders: make grade SUBMISSIONS=dir OUT=dir))' $(if $(UNSAFE),--unsafe) $(GRADE_ARGS)

course: install ## make nbgrader's course folder, to release coursework from it: make course OUT=dir
	@$(BIN)/python -m tools.grade --course '$(or $(OUT),$(error name the folder: make course OUT=dir))'

feedback: install ## write marks and feedback anew after marking by hand: make feedback OUT=dir
	@$(BIN)/python -m tools.grade --feedback '$(or $(OUT),$(error name the folder: make feedback OUT=dir))'

mark: install ## open nbgrader's formgrader to mark by hand: make mark OUT=dir
	@sh tools/mark.sh '$(or $(OUT),$(error name the folder: make mark OUT=dir))' $(LAB_ARGS)

bench: install ## measure latency, whole lessons on one core, and training; store the tables in benchmarks/
	@$(BIN)/python -m benchmarks.run

lock: ## pin the newest versions that pyproject.toml allows in requirements.lock
	@$(TOOLS)/python -c 'import uv' 2>/dev/null || { \
		python=$$(sh tools/find_python.sh) && "$$python" -m venv --clear .tools && \
		$(TOOLS)/python -m pip --disable-pip-version-check --quiet install uv; }
	@# No address of an index is written: everyone installs from where they always do.
	$(TOOLS)/python -m uv pip compile --quiet --universal --upgrade --python-version 3.11 --all-extras \
		--custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml

address: ## show the repository's public address, or fill in REPOSITORY=https://github.com/owner/name
	@python=$$(sh tools/find_python.sh) && "$$python" -m tools.address $(if $(REPOSITORY),'$(REPOSITORY)')

format: install ## mend layout and imports with ruff (notebooks follow at the next build)
	@$(BIN)/python -m ruff format $(CODE)
	@$(BIN)/python -m ruff check --fix $(CODE)

clean: ## remove all that these commands made, except the notebooks
	rm -rf .venv .tools .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find lossacc_helpers tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
