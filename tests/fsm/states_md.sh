#!/bin/sh
# states_md.sh WRITE_STATES DOCS/STATES.MD: the page is what the tables say now.
if "$1" | diff -u "$2" -; then
    exit 0
fi
echo "$2 is not what the tables say: cmake --build build/developer --target states" >&2
exit 1
