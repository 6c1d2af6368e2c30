#!/bin/sh
# test_configure.sh PREFIX FOLDER: what configure says and writes, in a copy in FOLDER: with the
# library in PREFIX, without one, and with one that does not fit. Stops at the first surprise.
set -eu
package=$(cd "$(dirname "$0")/.." && pwd)
prefix=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2/src"
cd "$2"
cp "$package/configure" .
cp "$package/src/Makevars.in" src
unset SSMGEN_HOME PKG_CONFIG PKG_CONFIG_PATH
# So that a library that is installed on this machine is not seen.
mkdir nothing
export PKG_CONFIG_LIBDIR="$PWD/nothing"

# refuses EXPECTED [NAME=VALUE...]: configure fails, writes nothing, says EXPECTED and the remedy.
refuses() {
  expected=$1
  shift
  if said=$(env "$@" ./configure 2>&1); then
    echo "configure passed where it should have said: $expected"
    exit 1
  fi
  for part in "configure: $expected" "make install PREFIX=DIR" "set SSMGEN_HOME=DIR"; do
    case "$said" in
      *"$part"*) ;;
      *)
        printf 'expected: %s\nsaid: %s\n' "$part" "$said"
        exit 1
        ;;
    esac
  done
  if [ -e src/Makevars ]; then
    echo "configure failed ($expected), and wrote src/Makevars"
    exit 1
  fi
}

# finds FOLDER [NAME=VALUE...]: configure passes, and src/Makevars has the library in FOLDER.
finds() {
  folder=$1
  shift
  env "$@" ./configure
  grep -qF "rpath,\"$folder\"" src/Makevars || {
    echo "src/Makevars does not have $folder:"
    cat src/Makevars
    exit 1
  }
  rm src/Makevars
}

refuses "SSMGEN_HOME is not set and pkg-config knows no ssmgen"
refuses "SSMGEN_HOME is not set and there is no pkg-config" PKG_CONFIG=./no-pkg-config
refuses "SSMGEN_HOME is $PWD/no, but there is no include/ssmgen/model.hpp in it" \
  "SSMGEN_HOME=$PWD/no"

# A blank in its name, as folders have on some machines.
mkdir -p "a home/include/ssmgen"
touch "a home/include/ssmgen/model.hpp"
refuses "SSMGEN_HOME is a home, but no folder lib of it has libssmgen.so" "SSMGEN_HOME=a home"
mkdir -p "a home/lib/pkgconfig"
touch "a home/lib/libssmgen.so"
refuses "SSMGEN_HOME is a home, but there is no $PWD/a home/lib/pkgconfig/ssmgen.pc" \
  "SSMGEN_HOME=a home"
for version in "" 0.2.0 1.0.0; do
  echo "Version: $version" >"a home/lib/pkgconfig/ssmgen.pc"
  refuses "libssmgen in $PWD/a home/lib is of version '$version', and this package needs 0.1" \
    "SSMGEN_HOME=a home"
done
echo "Version: 0.1.9" >"a home/lib/pkgconfig/ssmgen.pc"
finds "$PWD/a home/lib" "SSMGEN_HOME=a home"

library=$(find "$prefix" -name libssmgen.so)
finds "$(dirname "$library")" "SSMGEN_HOME=$prefix"
finds "$(dirname "$library")" "PKG_CONFIG_PATH=$(dirname "$library")/pkgconfig"
echo "configure says what it should"
