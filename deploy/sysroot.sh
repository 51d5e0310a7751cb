#!/bin/sh
# sysroot.sh [ARCH [FOLDER]]: fetches what the agent for another architecture is linked with (musl, msgpack-c,
# xxHash, kernel headers) from the distribution's own archive into FOLDER/ARCH (build/sysroot/aarch64), and writes the
# specs with which the cross compiler uses it. Needs no root, installs nothing, and touches nothing else.
# Fetches nothing that is there already.
set -eu

arch=${1:-aarch64}
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${2:-$root/build/sysroot}

case $arch in
aarch64) debian=arm64 loader=ld-musl-aarch64.so.1 ;;
x86_64) debian=amd64 loader=ld-musl-x86_64.so.1 ;;
-h | --help)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
*)
    echo "sysroot: unknown architecture $arch; known are aarch64 and x86_64" >&2
    exit 2
    ;;
esac
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "sysroot: this is not a Debian: there is no apt-get to fetch $arch packages with" >&2
    exit 2
fi

target=$folder/$arch

# write_specs FOLDER: the compiler's own start files and libraries, and for everything else $target.
write_specs() {
    musl=$(cd "$1" && echo usr/lib/*-linux-musl)
    include=$(cd "$1" && echo usr/include/*-linux-musl)
    cat >"$1/musl.specs.new" <<END
%rename cpp_options old_cpp_options

*cpp_options:
-nostdinc -isystem $target/$include -isystem include%s %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem $target/$include -isystem include%s

*link_libgcc:
-L$target/$musl -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
%{!shared: $target/$musl/crt1.o} $target/$musl/crti.o crtbeginT.o%s

*endfile:
crtend.o%s $target/$musl/crtn.o

*link:
-dynamic-linker /lib/$loader -nostdlib %{shared:-shared} %{static:-static}

*esp_link:


*esp_options:


*esp_cpp_options:


END
    mv "$1/musl.specs.new" "$1/musl.specs"
}

# The specs name the folder: where it was moved or copied with the tree they are written again.
if [ -e "$target/musl.specs" ] && [ -e "$target/usr/include/xxhash.h" ]; then
    grep -qF -- "-isystem $target/usr/include" "$target/musl.specs" || write_specs "$target"
    exit 0
fi
mkdir -p "$folder"
work=$(mktemp -d "$folder/.$arch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" "$work/root"

# A private list and cache: the system's own apt does not learn of the other architecture. Where nothing
# answers it gives up soon, as this is for something that can be done without.
apt() {
    timeout 300 apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Debug::NoLocking=true \
        -o APT::Architecture="$debian" -o APT::Architectures="$debian" -o APT::Sandbox::User="$(id -un)" "$@"
}

{
    apt update
    cd "$work/debs"
    msgpack=libmsgpack-dev
    . /etc/os-release
    [ "${ID:-}:${VERSION_ID:-}" = debian:12 ] || msgpack=libmsgpack-c-dev
    apt download "musl-dev:$debian" "$msgpack:$debian" "libxxhash-dev:$debian" "linux-libc-dev:$debian"
} >"$work/log" 2>&1 || {
    tail -5 "$work/log" >&2
    echo "sysroot: the $debian packages could not be fetched; is the archive of /etc/apt/sources.list there?" >&2
    exit 1
}
for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
done

library=$(cd "$work/root" && find usr/lib -name 'libmsgpack*.a' | head -1)
write_specs "$work/root"
if [ ! -e "$work/root/$musl/libc.a" ] || [ ! -d "$work/root/$include" ] || [ -z "$library" ] ||
    [ ! -e "$work/root/usr/include/xxhash.h" ]; then
    echo "sysroot: the $debian packages are not as expected: no libc.a, headers or libmsgpack*.a in them" >&2
    exit 1
fi
ln -s "$library" "$work/root/libmsgpack.a"
rm -rf "$target"
mv "$work/root" "$target"
echo "sysroot: $target"
