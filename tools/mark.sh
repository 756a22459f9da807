#!/bin/sh
# Open nbgrader's formgrader on a folder that `make grade` made; run by `make mark OUT=dir`.
set -eu
out=$1
shift
case "${OS:-}" in
Windows_NT) python=$(pwd)/.venv/Scripts/python ;;
*) python=$(pwd)/.venv/bin/python ;;
esac

if [ ! -f "$out/nbgrader_config.py" ]; then
    echo "$out is no course folder; make grade SUBMISSIONS=dir OUT=$out makes it one." >&2
    exit 1
fi
if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    set -- --no-browser "$@"
fi
if [ "$(id -u)" = 0 ]; then
    set -- --allow-root "$@"
fi

# nbgrader reads its settings from the folder in which Jupyter starts.
cd "$out"
exec "$python" -m jupyterlab --ServerApp.root_dir=. --LabApp.default_url=/formgrader/gradebook \
    --ServerApp.jpserver_extensions="{'nbgrader.server_extensions.formgrader': True}" "$@"
