#!/bin/sh
# Make an environment of its own for every peer of benchmarks/wikitext.py (`make bench-peers` calls this):
#   benchmarks/peers.sh [FOLDER]        default: .peers, which git ignores
# Some of them are GPL or AGPL: they are run as programs for comparison, never imported and never a dependency.
# Versions are pinned, so that figures can be compared; wheels exist for Python 3.11 and need no compiler.
set -eu
folder=${1:-.peers}
python=${PYTHON:-python3}
for peer in mwparserfromhell==0.7.2 wikiextractor==3.1.0 wikitextparser==3.0.0 gensim==4.4.0; do
    name=${peer%%==*}
    if [ -e "$folder/$name/$peer" ]; then
        echo "$peer is there"
        continue
    fi
    "$python" -m venv "$folder/$name"
    "$folder/$name/bin/python" -m pip --disable-pip-version-check install --quiet --prefer-binary "$peer"
    touch "$folder/$name/$peer"
    echo "$peer"
done
