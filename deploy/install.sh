#!/bin/sh
# Installs Nightmail without tools for tests: install.sh [FOLDER]
#
# FOLDER (default /opt/nightmail-VERSION) gets a virtual environment with the packages of deploy/locks/cli.lock and this
# checkout's code; the checkout is not needed afterwards. PYTHON (default python3) is 3.11 or newer with venv.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/cli/pyproject.toml")
folder=${1:-/opt/nightmail-$version}
[ ! -e "$folder/bin/nightmail" ] || { echo "error: $folder has an installation already" >&2; exit 1; }
umask 022
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# pip gives up after 15 seconds of silence by default.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_DEFAULT_TIMEOUT="${PIP_DEFAULT_TIMEOUT:-60}"

"${PYTHON:-python3}" -m venv "$build/venv"
"$build/venv/bin/pip" install --quiet --no-deps --require-hashes -r "$here/deploy/locks/build.lock"
# In copies: a build writes into the folder of its package.
for package in libs/common libs/client cli services/api services/ticker services/runner services/mailer; do
    mkdir -p "$build/source/$package"
    cp -R "$here/$package/." "$build/source/$package/"
    "$build/venv/bin/pip" wheel --quiet --no-deps --no-build-isolation -w "$build/wheels" "$build/source/$package"
done
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/pip" install --quiet --no-deps --require-hashes --only-binary :all: --no-binary nkeys -r "$here/deploy/locks/cli.lock"
"$folder/bin/pip" install --quiet --no-deps "$build"/wheels/*.whl
"$folder/bin/python" -m compileall -q -x gallery/jobs "$folder/lib"
mkdir -p "$folder/share/nightmail"
cp -R "$here/deploy/systemd" "$here/deploy/prometheus" "$here/deploy/grafana" "$folder/share/nightmail/"
cp "$here/docs/operations.md" "$here/.env.example" "$folder/share/nightmail/"
echo "nightmail $version is in $folder"
