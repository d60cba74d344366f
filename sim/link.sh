#!/bin/sh
# Links xensim's static library into one shared object that stands in for libxencall,
# libxenforeignmemory and libxendevicemodel.
#
# usage: link.sh STATICLIB OUTDIR
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 STATICLIB OUTDIR" >&2
    exit 2
fi
staticlib=$1
outdir=$2
here=$(dirname "$0")

mkdir -p "$outdir"
# Beside its final name first: a program that runs on the old one keeps it.
new=$outdir/.libxencall.so.1.$$
trap 'rm -f "$new"' EXIT
"$here/../scripts/shared-object" "$staticlib" "$new" "$here/xensim.map" \
    -Wl,-soname,libxencall.so.1 -Wl,--no-undefined
mv -f "$new" "$outdir/libxencall.so.1"
# Links to the same file, which the loader recognises: all three names share one state.
for name in libxenforeignmemory libxendevicemodel; do
    ln -sf libxencall.so.1 "$outdir/$name.so.1"
done
