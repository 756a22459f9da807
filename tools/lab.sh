#!/bin/sh
# Open JupyterLab at the first lesson, with whatever further arguments are given; run by `make lab`.
set -eu
cd "$(dirname "$0")/.."

case "${OS:-}" in
Windows_NT) python=.venv/Scripts/python ;;
*) python=.venv/bin/python ;;
esac

# Without a display there is no browser to open: print the address and keep serving.
if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    set -- --no-browser "$@"
fi
if [ "$(id -u)" = 0 ]; then
    set -- --allow-root "$@"
fi

exec "$python" -m jupyterlab --ServerApp.root_dir=. \
    --LabApp.default_url=/lab/tree/notebooks/01_arithmetic_of_log_loss.ipynb "$@"
