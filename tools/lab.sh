#!/bin/sh
# Open JupyterLab at the first lesson, with whatever further arguments are given; run by `make lab`.
set -eu
cd "$(dirname "$0")/.."

case "${OS:-}" in
Windows_NT) python=.venv/Scripts/python ;;
*) python=.venv/bin/python ;;
esac

# Learners work in a copy of their own, so that nothing they do stands in the way of an update. Should that fail (it says
# why), the course opens all the same: in the copy as it is or, without one, where the notebooks come from.
"$python" -m lossacc_helpers.learner.working_copy notebooks my-course || true
for first in my-course/00_start_here.ipynb my-course/*.ipynb notebooks/00_start_here.ipynb notebooks/*.ipynb; do
    [ ! -f "$first" ] || break
done
case "$first" in
notebooks/*) echo "Opening the course's own notebooks instead. Save what you change under another name." >&2 ;;
esac

# Without a display there is no browser to open: print the address and keep serving.
if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    set -- --no-browser "$@"
fi
if [ "$(id -u)" = 0 ]; then
    set -- --allow-root "$@"
fi

exec "$python" -m jupyterlab --ServerApp.root_dir=. \
    "--LabApp.default_url=/lab/tree/$first" "$@"
