#!/usr/bin/env bash
# Installs code-server, which is VS Code for a browser, and what drives a browser, into the folder that is named. Takes a
# minute; nothing is done where that folder is complete. Its own postinstall script fetches prebuilt parts from elsewhere
# and refuses root, so what is needed of it is done here.
set -euo pipefail
# 4.100.3 is VS Code 1.100.3, the last one that runs on node 20.
versions="code-server@4.100.3 playwright-core@1.65.1"
folder=$1
[[ $(cat "$folder/.complete" 2>/dev/null) != "$versions" ]] || exit 0

quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-timeout=60000)
mkdir -p "$folder"
cd "$folder"
echo '{"private": true}' >package.json
# shellcheck disable=SC2086 # several words
npm install "${quiet[@]}" $versions
# The headers that node came with, where it did; else they are fetched.
prefix=$(node -p 'require("path").resolve(process.execPath, "../..")')
[[ ! -e $prefix/include/node/node.h ]] || export npm_config_nodedir=$prefix
# The only native part without which the server does not start.
npm rebuild --loglevel=error --build-from-source argon2
cd node_modules/code-server/lib/vscode
npm install "${quiet[@]}" --omit=dev
ln -sfn node_modules node_modules.asar
(cd extensions && npm install "${quiet[@]}" --omit=dev)
echo "$versions" >"$folder/.complete"
