#!/bin/sh
# Make .venv what requirements.lock says, or leave it alone where it already is; run by `make install`.
set -eu
cd "$(dirname "$0")/.."

case "${OS:-}" in
Windows_NT) python=.venv/Scripts/python ;;
*) python=.venv/bin/python ;;
esac

# The stamp is written last of all, so an installation that was interrupted has none. Its first line names this folder,
# because an environment that was moved or copied still points at its old place; its second what was installed.
stamp=.venv/installed
place=$(pwd -P)
contents=$(cat requirements.lock pyproject.toml tools/install.sh tools/jupyter/*.* | cksum)

origin() {
    "$1" -I -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14); print(sys.version, sys.base_prefix)' 2>/dev/null
}

# An environment that was finished, here, with a Python that still runs and is the one asked for.
usable() {
    [ -f "$stamp" ] && [ "$(sed -n 1p "$stamp")" = "$place" ] && now=$(origin "$python") &&
        { [ -z "${PYTHON:-}" ] || [ "$now" = "$(origin "$PYTHON")" ]; } &&
        "$python" -I -c 'from importlib.util import find_spec
for name in "pip", "numpy", "jupyterlab", "ipykernel", "pytest", "lossacc_helpers":
    assert find_spec(name)' 2>/dev/null
}

if usable; then
    if [ "$(sed -n 2p "$stamp")" = "$contents" ]; then
        exit 0
    fi
    echo "Bringing .venv up to date ..."
    rm -f "$stamp"
else
    base=$(sh tools/find_python.sh)
    echo "Making .venv with Python $("$base" -c 'import platform; print(platform.python_version())')" \
        "(about 2 GB; the first time takes some minutes) ..."
    rm -f "$stamp"
    "$base" -m venv --clear .venv
fi

pip_install() {
    "$python" -m pip --disable-pip-version-check --quiet install --no-deps --no-compile "$@"
}

# The pip that comes with Python is as old as that Python, and takes half as long again. What is installed does not depend
# on it, so where no newer one is to be had, the old one will do.
pip_install 'pip>=26,<27' 2>/dev/null || true

# The lock is complete, so nothing is left to resolve; flit_core is in it, so the package needs no build environment.
if ! { pip_install -r requirements.lock && pip_install --no-build-isolation -e .; }; then
    echo "Not everything could be installed; pip says why above. Mend it (often the network) and run make again." >&2
    exit 1
fi

# pip would compile on one processor, which takes a minute. Some packages hold files that are no Python of this version;
# other packages' own tests are nobody's here.
purelib=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -m compileall -qq -j 0 -x '[/\\]site-packages[/\\].*[/\\]tests[/\\]' "$purelib" lossacc_helpers || true

"$python" tools/jupyter/apply.py

printf '%s\n' "$place" "$contents" >"$stamp.new"
mv "$stamp.new" "$stamp"
echo "The environment is ready."
