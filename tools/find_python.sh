#!/bin/sh
# Print the name of a Python that can make the course's environment, or say plainly what is missing.
# PYTHON=... names the only candidate; otherwise the version that the course is tested with goes first.
set -eu

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3.11 python3.12 python3.13 python3 python
fi

found=
without_venv=
for candidate in "$@"; do
    # Run it: a pyenv shim, for one, can exist and yet not work.
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    found="$found  $candidate is Python $version
"
    case "$version" in
    3.11 | 3.12 | 3.13) ;;
    *) continue ;;
    esac
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        printf '%s\n' "$candidate"
        exit 0
    fi
    without_venv=${without_venv:-$version}
done

{
    if [ -n "$without_venv" ]; then
        echo "Python $without_venv is here, but without its venv module, which makes the environment."
        echo "On Debian and Ubuntu:  sudo apt install python$without_venv-venv"
    elif [ -n "${PYTHON:-}" ]; then
        echo "This course needs Python 3.11, 3.12 or 3.13; PYTHON=$PYTHON is none of these, or does not run."
        printf '%s' "$found"
    else
        echo "This course needs Python 3.11, 3.12 or 3.13, and none that runs was found."
        printf '%s' "$found"
        echo "Install one from https://www.python.org/downloads/ or name yours:  make lab PYTHON=/path/to/python3.11"
    fi
} >&2
exit 1
