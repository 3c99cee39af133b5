# make run    installs what is missing and starts the station       make test   the same for the tests
# make install, make lint, make check (all that a commit must pass), make help
#
# A fresh Debian 12 or Raspberry Pi OS (64-bit) machine needs git, make, and root or sudo.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: help install install-dev run test lint check clean
.DEFAULT_GOAL := help

ARGS ?=
# Tests run side by side; `make test WORKERS=0` runs them one after another.
WORKERS ?= auto

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

install:
	@$(prepare)
	need python3 python3-venv -- find_python
	need libzbar0 -- has_library libzbar.so.0
	get_needed
	make_venv .

install-dev:
	@$(prepare)
	need python3 python3-venv -- find_python
	need libzbar0 -- has_library libzbar.so.0
	need chromium-headless-shell -- test -x /usr/bin/chromium-headless-shell
	need libnss3-tools -- test -x /usr/bin/certutil
	need fonts-dejavu-core -- test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
	need strace -- test -x /usr/bin/strace
	need golang-go -- test -x /usr/bin/go
	need golang-golang-x-mod-dev -- test -d /usr/share/gocode/src/golang.org/x/mod/sumdb
	get_needed
	make_venv '.[dev]'

run: install
	@exec .venv/bin/scanner-station run $(ARGS)

test: install-dev
	@exec .venv/bin/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: install-dev
	@export PATH="$(CURDIR)/.venv/bin:$$PATH"
	ruff format --check .
	ruff check .
	mypy
	lint-imports

check: lint test

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The shell functions behind `install`. Where nothing is missing, nothing is asked of the network.
define prepare
exec 9<. && flock 9  # one installation at a time in this folder
needed=()
die() { printf '\n%s\n' "$$@" >&2; exit 1; }

# need PACKAGE... -- TEST: note the packages if the test fails
need() {
    local packages=()
    while [ "$$1" != -- ]; do packages+=("$$1"); shift; done
    shift
    "$$@" || needed+=("$${packages[@]}")
}

# get_needed: have apt install what was noted
get_needed() {
    [ $${#needed[@]} -gt 0 ] || return 0
    local as_root=()
    command -v apt-get >/dev/null || die "Missing on this system: $${needed[*]} (Debian's names). Install them and try again."
    if [ "$$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "As root, run: apt-get install $${needed[*]}" "Then try again."
        as_root=(sudo)
    fi
    echo "Installing with apt: $${needed[*]}"
    local apt=("$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    "$${apt[@]}" update || echo "Not every package list could be fetched; trying with those that are here." >&2
    "$${apt[@]}" install --yes --no-install-recommends "$${needed[@]}" ||
        die "apt could not install: $${needed[*]}" "Is this machine connected to the internet?"
}

has_library() { PATH="$$PATH:/usr/sbin:/sbin" ldconfig -p | grep -F "$$1" >/dev/null; }

# find_python: set $$python to the first one that can make a virtual environment for the station
find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        python=$$("$$name" -c 'import os, sys, ensurepip, venv, ssl, sqlite3; (3, 11) <= sys.version_info < (3, 14) and sys.maxsize > 2**32 and print(os.path.realpath(sys.executable))' 2>/dev/null) || continue
        [ -z "$$python" ] || return 0
    done
    return 1
}

# make_venv WHAT: a whole .venv with pip's WHAT in it. It is made anew when the making was cut short, when
# the folder was moved (its scripts hold the old path) or when its Python is gone.
make_venv() {
    local stamp=".venv/.has-$$1"
    if [ -e .venv/.unfinished ] || [ "$$(cat .venv/.place 2>/dev/null)" != "$$PWD" ] ||
        ! .venv/bin/python -c '' 2>/dev/null; then
        find_python || die "No usable Python: the station needs a 64-bit Python 3.11, 3.12 or 3.13 with its venv module."
        echo "Making .venv with $$python"
        rm -rf .venv
        mkdir .venv
        touch .venv/.unfinished
        "$$python" -m venv .venv
        echo "$$PWD" >.venv/.place
    fi
    cmp -s pyproject.toml "$$stamp" && return
    echo "Installing the Python packages; the first time this takes a few minutes"
    touch .venv/.unfinished
    trap 'exit 130' INT TERM  # cut short: stays unfinished
    .venv/bin/python -m pip install --no-input --disable-pip-version-check --editable "$$1" ||
        { rm .venv/.unfinished; die "pip could not install the Python packages; its lines above say why."; }
    cp pyproject.toml "$$stamp"
    rm .venv/.unfinished
}
endef
