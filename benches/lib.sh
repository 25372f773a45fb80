# Shared by compare.sh and growth.sh: tools, builds, measuring, and writing into the docs.
# To be sourced from the project's root.

die() { echo "$0: $*" >&2; exit 2; }
note() { echo "$*" >&2; }

# need COMMAND PACKAGE: installs what is missing where that is allowed.
need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y -qq "$2" >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq "$2" >/dev/null; }
  fi
  command -v "$1" >/dev/null || die "$1 is missing; it is in the Debian package $2"
}

# Sets LEASTROLE, AMPLIFY, INFLATE and PLOT.
build() {
  cargo build --release --quiet --bin leastrole --example amplify --example inflate --example plot
  local target=${CARGO_TARGET_DIR:-target}/release
  LEASTROLE=$(realpath "$target/leastrole") AMPLIFY=$(realpath "$target/examples/amplify")
  INFLATE=$(realpath "$target/examples/inflate") PLOT=$(realpath "$target/examples/plot")
}

# prepare DIR: tools and programs, and sets DIR, which goes away at the end where none was
# given, and WORK in it, which always does.
prepare() {
  need hyperfine hyperfine
  need jq jq
  need /usr/bin/time time
  [ -z "$1" ] || mkdir -p "$1"
  DIR=${1:+$(realpath "$1")}
  if [ -n "$DIR" ]; then
    WORK=$(mktemp -d -p "$DIR")
    trap 'rm -rf "$WORK"' EXIT
  else
    DIR=$(mktemp -d)
    WORK=$(mktemp -d -p "$DIR")
    trap 'rm -rf "$DIR"' EXIT
  fi
  build
}

# room MB: whether that much fits on the disk of DIR.
room() { [ "$(df -Pm "$DIR" | awk 'NR == 2 { print $4 }')" -gt "$1" ]; }

# grow FILE MB [OPTION]...: a log of that size, unless it is there from an earlier run.
grow() {
  local file=$1 mb=$2
  shift 2
  [ -s "$file" ] && return
  room "$mb" || die "no room for $mb MB in $DIR"
  note "growing $(basename "$file")"
  "$AMPLIFY" --mb "$mb" "$@" -o "$file.part"
  mv "$file.part" "$file"
}

# peak COMMAND...: its peak resident memory in MiB, with one decimal.
peak() {
  local kib
  kib=$(mktemp)
  /usr/bin/time -f %M -o "$kib" "$@" >/dev/null 2>&1 || die "failed: $*"
  awk 'END { printf "%.1f\n", $1 / 1024 }' "$kib"
  rm "$kib"
}

# The machine and the date, as Markdown.
machine() {
  local cpu memory
  cpu=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
  memory=$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
  echo "Measured on $(date -u +%F), ${cpu:-$(uname -m)}, $(nproc) cores, $memory of memory,"
  echo "Linux $(uname -r), $(rustc --version | cut -d' ' -f1,2), leastrole $("$LEASTROLE" --version | cut -d' ' -f2)" \
    "at $(git rev-parse --short HEAD 2>/dev/null || echo 'an unknown commit')."
}

# publish FILE NAME: stdin between the markers of that name; the rest of FILE stays.
publish() {
  local file=$1 begin="<!-- $2: begin -->" end="<!-- $2: end -->" text
  grep -qxF -e "$begin" "$file" && grep -qxF -e "$end" "$file" || die "$file lacks the markers of $2"
  text=$(mktemp)
  cat >"$text"
  awk -v begin="$begin" -v end="$end" -v text="$text" '
    $0 == end { inside = 0 }
    !inside { print }
    $0 == begin { inside = 1; while ((getline line < text) > 0) print line }
  ' "$file" >"$file.new"
  mv "$file.new" "$file"
  rm "$text"
}
