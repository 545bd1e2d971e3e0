# SPDX-License-Identifier: MIT
# What the scripts of tests/vm share: where things are, and how to say and refuse.

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$top/build
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fiber}
me=$(basename "$0")

say() { printf '  %-7s %s\n' "$1" "$2" >&2; }
die() { printf '%s: %s\n' "$me" "$1" >&2; exit "${2:-1}"; }

# The comment at the head of a script, below its licence, is its help.
help() { sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0; }
