#!/bin/sh
# Tell the JupyterLab of an environment what this course needs:  sh tools/jupyter/apply.sh .venv
#
# overrides.json: JupyterLab would otherwise greet the learner with a question about news, and ask the network for them.
# jupyter_config.json: stored notebooks lose the views of their widgets, and a kernel that has been idle for two hours
# is shut down, because a lesson's kernel holds up to a gigabyte. Every Jupyter program reads this file first, so
# whatever stands in a jupyter_server_config.json or .py, the learner's own or Binder's, goes before it.
set -eu
here=$(dirname "$0")
settings=$1/share/jupyter/lab/settings
configuration=$1/etc/jupyter

mkdir -p "$settings" "$configuration"
cp "$here/overrides.json" "$settings/"
cp "$here/jupyter_config.json" "$configuration/"
