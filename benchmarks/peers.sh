#!/bin/sh
# Make an environment of its own for every peer of benchmarks/wikitext.py, below a folder outside the repository:
#   benchmarks/peers.sh FOLDER
# Some of them are GPL or AGPL: they are run as programs for comparison, never imported and never a dependency.
set -eu
folder=${1:?folder for the environments}
for peer in mwparserfromhell wikiextractor wikitextparser gensim; do
    [ -x "$folder/$peer/bin/python" ] || python3 -m venv "$folder/$peer"
    "$folder/$peer/bin/pip" install --quiet "$peer"
done
