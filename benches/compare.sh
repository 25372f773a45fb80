#!/usr/bin/env bash
# Times leastrole against the tools that read the same bytes, in one run, and writes
# docs/benchmarks.md.
#
#   benches/compare.sh [--mb N] [--dir DIR] [--rounds N] [--slow-rounds N]
#                      [--small] [--audit2rbac PATH] [--no-docs]
#
#   --mb N             size of the log in MB (1000)
#   --dir DIR          keep the logs there for the next run
#   --rounds N         rounds; in each, every command runs once (7)
#   --slow-rounds N    the same for jq and audit2rbac (1)
#   --small            for the tenfold figure compare with a tenth, not with ten times
#   --audit2rbac PATH  this one, not the one on PATH or built from its Go module
#   --no-docs          print only
#
# Rounds and not runs in a row: on a machine with neighbours, what is compared must be
# measured at the same time. Exit status 0 even where a target is missed.
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/lib.sh

mb=1000 dir='' rounds=7 slow_rounds=1 small='' peer='' docs=yes
while [ $# -gt 0 ]; do
  case $1 in
    --mb) mb=$2; shift ;;
    --dir) dir=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --slow-rounds) slow_rounds=$2; shift ;;
    --small) small=yes ;;
    --audit2rbac) peer=$2; shift ;;
    --no-docs) docs='' ;;
    *) die "unknown option $1" ;;
  esac
  shift
done

prepare "$dir"
threads=$(nproc)

# --- The same log in all its forms -------------------------------------------------

log=$DIR/log-$mb.ndjson
gz=$log.gz
parts=$DIR/parts-$mb
if [ -n "$small" ]; then ten_mb=$mb one_mb=$((mb / 10)); else ten_mb=$((mb * 10)) one_mb=$mb; fi
one=$DIR/log-$one_mb.ndjson
ten=$DIR/log-$ten_mb.ndjson
grow "$log" "$mb"
grow "$one" "$one_mb"
grow "$ten" "$ten_mb"
if [ ! -s "$gz" ]; then
  note "compressing"
  gzip -c "$log" >"$gz.part"
  mv "$gz.part" "$gz"
fi
if [ ! -d "$parts" ]; then
  rm -rf "$parts.part"
  mkdir "$parts.part"
  split -n l/64 -d --additional-suffix=.ndjson "$log" "$parts.part/"
  find "$parts.part" -name '*.ndjson' -print0 | xargs -0 -P "$threads" -n 4 gzip
  mv "$parts.part" "$parts"
fi
bytes=$(stat -c %s "$log")
events=$(wc -l <"$log")

# --- audit2rbac, where it can be had ------------------------------------------------

account=shop-system:order-operator
peer_note=''
if [ -z "$peer" ]; then
  peer=$(command -v audit2rbac || true)
fi
if [ -z "$peer" ]; then
  if ! command -v go >/dev/null; then
    peer_note='audit2rbac was skipped: Go is not installed.'
  elif benches/peers/audit2rbac.sh "$DIR/audit2rbac" >"$WORK/go.log" 2>&1; then
    peer=$DIR/audit2rbac
  else
    note "$(cat "$WORK/go.log")"
    peer_note='audit2rbac was skipped: its Go module could not be loaded and built.'
  fi
fi
[ -z "$peer_note" ] || note "$peer_note"

# peer_roles LOG: what audit2rbac says of the account.
peer_roles() { "$peer" -f "$1" --serviceaccount "$account" 2>/dev/null; }

# The needs do not grow with the log: after the whole of it the answer must have as many
# lines as after its begin. So nothing was left unread, and nothing given up.
if [ -n "$peer" ]; then
  head -n 20000 "$log" >"$WORK/begin.ndjson"
  peer_roles "$WORK/begin.ndjson" >"$WORK/begin.yaml" || die "audit2rbac fails"
  peer_lines=$(wc -l <"$WORK/begin.yaml")
  [ "$peer_lines" -gt 20 ] || die "audit2rbac finds nothing for $account"
fi

# --- Rounds -------------------------------------------------------------------------

quoted() { printf '%q ' "$@"; }

# Name and command, in turn; a name ends in the threads it uses.
commands=()
add() { local name=$1; shift; commands+=(-n "$name" "$(quoted "$@")"); }
generate() { add "$1" "$LEASTROLE" generate --quiet --threads "$2" "$3"; }

for n in $(printf '%s\n' 1 "$threads" | sort -nu); do
  generate "plain $n" "$n" "$log"
  generate "gzip $n" "$n" "$gz"
  generate "parts $n" "$n" "$parts"
  add "inflate-parts $n" "$INFLATE" --threads "$n" "$parts"/*.gz
  add "own-parts $n" "$INFLATE" --own --threads "$n" "$parts"/*.gz
done
add "inflate 1" "$INFLATE" --threads 1 "$gz"
add "own 1" "$INFLATE" --own --threads 1 "$gz"
add "wc 1" wc -l "$log"
add "zcat 1" zcat "$gz"
generate "one $threads" "$threads" "$one"
generate "ten $threads" "$threads" "$ten"

# On one line: hyperfine reads the quotes of a shell, but not $'...'.
fields='[.stage, .verb, .requestURI, .user.username, .user.groups, .impersonatedUser.username, .responseStatus.code, .annotations["authorization.k8s.io/decision"], .annotations["authorization.k8s.io/reason"]]'
slow=(-n "jq 1" "$(quoted jq -c "$fields" "$log")")
[ -z "$peer" ] || slow+=(-n "audit2rbac 1" "$(quoted "$peer" -f "$log" --serviceaccount "$account")")

hyper() { hyperfine -N --style none --runs 1 --export-json "$1" "${@:2}" >/dev/null 2>"$WORK/log" || die "$(cat "$WORK/log")"; }

note "warming up"
hyper "$WORK/warm-up.json" "${commands[@]}"
for round in $(seq "$rounds"); do
  note "round $round of $rounds"
  hyper "$WORK/round-$round.json" "${commands[@]}"
done
for round in $(seq "$slow_rounds"); do
  note "slow round $round of $slow_rounds"
  hyper "$WORK/round-slow-$round.json" "${slow[@]}"
done
hyperfine -N --style none --warmup 5 --runs 50 --export-json "$WORK/round-version.json" \
  -n "version 1" "$(quoted "$LEASTROLE" --version)" >/dev/null 2>&1

if [ -n "$peer" ]; then
  lines=$(peer_roles "$log" | wc -l)
  [ "$lines" = "$peer_lines" ] || die "audit2rbac gives $lines lines for all of the log and $peer_lines for its begin"
  peer_note="audit2rbac worked for one service account and gave $lines lines, as many as for the begin of the log."
fi

# name, threads, median, least; in seconds
jq -r -s '[.[].results[]] | group_by(.command)[]
  | {name: .[0].command, times: ([.[].times[]] | sort)}
  | [(.name | split(" ")[]), .times[(.times | length) / 2 | floor], .times[0]] | @tsv' \
  "$WORK"/round-*.json >"$WORK/times.tsv"

# --- Memory -------------------------------------------------------------------------

note "measuring memory"
memory() { printf '%s\t%s\t%s\n' "$1" "$2" "$(peak "${@:3}")" >>"$WORK/peaks.tsv"; }
for n in $(printf '%s\n' 1 "$threads" | sort -nu); do
  memory plain "$n" "$LEASTROLE" generate --quiet --threads "$n" "$log"
  memory gzip "$n" "$LEASTROLE" generate --quiet --threads "$n" "$gz"
  memory parts "$n" "$LEASTROLE" generate --quiet --threads "$n" "$parts"
  memory inflate-parts "$n" "$INFLATE" --threads "$n" "$parts"/*.gz
  memory own-parts "$n" "$INFLATE" --own --threads "$n" "$parts"/*.gz
done
memory inflate 1 "$INFLATE" --threads 1 "$gz"
memory own 1 "$INFLATE" --own --threads 1 "$gz"
memory wc 1 wc -l "$log"
memory zcat 1 zcat "$gz"
memory one "$threads" "$LEASTROLE" generate --quiet --threads "$threads" "$one"
memory ten "$threads" "$LEASTROLE" generate --quiet --threads "$threads" "$ten"
memory version 1 "$LEASTROLE" --version
memory jq 1 jq -c "$fields" "$one"
[ -z "$peer" ] || memory audit2rbac 1 "$peer" -f "$log" --serviceaccount "$account"

# --- The report ---------------------------------------------------------------------

report() {
  machine
  echo
  echo "The log: $((bytes / 1000000)) MB, $events events; $(($(stat -c %s "$gz") / 1000000)) MB as one gzip file." \
    "Medians of $rounds rounds ($slow_rounds for jq and audit2rbac), everything in the page cache. $peer_note"
  echo
  awk -F'\t' -v bytes="$bytes" -v threads="$threads" -v one_mb="$one_mb" -v ten_mb="$ten_mb" \
    -f benches/compare.awk "$WORK/times.tsv" "$WORK/peaks.tsv"
}

report >"$WORK/report.md"
cat "$WORK/report.md"
[ -z "$docs" ] || publish docs/benchmarks.md compare <"$WORK/report.md"
