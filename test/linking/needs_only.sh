#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# needs_only.sh READELF PROGRAM [LIBRARY...]: of the libraries that not every program of ours uses, PROGRAM needs these.
set -eu

readelf=$1
program=$2
shift 2
optional="libcares libcrypto libssl libz libzstd"
needed=$(LC_ALL=C "$readelf" -d "$program" | sed -n 's/.*(NEEDED).*\[\(lib[a-z]*\)\.so.*/\1/p')
status=0
for library in $optional; do
  is_needed=no
  may_be=no
  for each in $needed; do [ "$each" = "$library" ] && is_needed=yes; done
  for each in "$@"; do [ "$each" = "$library" ] && may_be=yes; done
  if [ $is_needed = yes ] && [ $may_be = no ]; then
    echo "$program needs $library: an object that is always linked refers to it" >&2
    status=1
  elif [ $is_needed = no ] && [ $may_be = yes ]; then
    echo "$program doesn't need $library, so this test would not notice if something else did" >&2
    status=1
  fi
done
exit $status
