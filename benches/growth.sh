#!/usr/bin/env bash
# Measures how time and memory of leastrole grow with the log, with the identities in it
# and with the distinct needs, and writes tables and plots into docs/.
#
#   benches/growth.sh [--mb N] [--large] [--dir DIR] [--rounds N] [--only log|identities|needs]
#                     [--no-docs]
#
#   --mb N       size in MB of the log of many identities (1000); the sizes of the plain logs
#                go from a hundredth of it up to it, the log of many needs is 2.5 times that
#   --large      a plain log of ten times that size as well
#   --dir DIR    where the logs are grown; each goes away once it is measured
#   --rounds N   timed runs for each point (5)
#   --only WHAT  one of the three
#   --no-docs    print only
set -euo pipefail
cd "$(dirname "$0")/.."
. benches/lib.sh

mb=1000 large='' dir='' rounds=5 only='log identities needs' docs=yes
while [ $# -gt 0 ]; do
  case $1 in
    --mb) mb=$2; shift ;;
    --large) large=yes ;;
    --dir) dir=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --only) only=$2; shift ;;
    --no-docs) docs='' ;;
    *) die "unknown option $1" ;;
  esac
  shift
done
[ "$mb" -ge 100 ] || die "--mb is at least 100"

prepare "$dir"

# point LOG NAMES: MB, identities, needs, seconds and MiB of one log, on all cores.
point() {
  local command=("$LEASTROLE" generate --names "$2" "$1") summary=$WORK/summary
  "${command[@]}" >/dev/null 2>"$summary" || die "$(tail -n 3 "$summary")"
  hyperfine -N --style none --warmup 1 --runs "$rounds" --export-json "$WORK/times.json" \
    "$(printf '%q ' "${command[@]}" --quiet)" >/dev/null 2>&1
  local bytes identities needs
  bytes=$(stat -c %s "$1")
  identities=$(awk '/^$/ { inside = 0 } inside { n++ } /^Identity / { inside = 1 } END { print n + 0 }' "$summary")
  needs=$(awk '/^Proved: covers / { print $3 }' "$summary" | tr -d ,)
  printf '%d\t%d\t%d\t%.4f\t%s\n' $((bytes / 1000000)) "$identities" "$needs" \
    "$(jq '.results[0].median' "$WORK/times.json")" "$(peak "${command[@]}" --quiet)"
}

# measure FILE MB NAMES [OPTION]...: adds the point of a log made for it.
measure() {
  local file=$1 size=$2 names=$3 log=$WORK/log.ndjson
  shift 3
  grow "$log" "$size" "$@"
  point "$log" "$names" | tee -a "$file" >&2
  rm "$log"
}

# show FILE COLUMN NAME: the table in Markdown, and the plot of time and memory over it.
show() {
  local file=$1 column=$2 name=$3
  awk -F'\t' '
    BEGIN { print "| log | identities | needs | time | peak memory |"; print "| --: | --: | --: | --: | --: |" }
    { printf "| %s MB | %s | %s | %.3f s | %.1f MiB |\n", $1, $2, $3, $4, $5 }' "$file"
  echo
  if [ -n "$docs" ]; then
    {
      printf '%s\tseconds\tpeak memory in MiB\n' "$name"
      sort -n -k "$column,$column" "$file" | cut -f "$column,4,5"
    } | "$PLOT" >"docs/growth-$4.svg"
    echo "![time and memory over $name](growth-$4.svg)"
    echo
  fi
}

for what in $only; do
  points=$WORK/$what.tsv
  note "$what"
  case $what in
    log)
      for size in $((mb / 100)) $((mb / 10)) "$mb" ${large:+$((mb * 10))}; do
        measure "$points" "$size" auto
      done ;;
    identities)
      for count in 10 100 1000 10000; do
        measure "$points" "$mb" auto --only workloads --identities "$count"
      done ;;
    needs)
      # Of the requests by name a fifth are refused, or share their need with another.
      for count in 100 1000 10000 100000 1000000; do
        measure "$points" $((mb * 5 / 2)) exact --only named --log eks-policy --needs $((count * 5 / 4))
      done ;;
    *) die "unknown: $what" ;;
  esac
done

report() {
  machine
  echo "Medians of $rounds runs on all cores."
  echo
  for what in $only; do
    case $what in
      log) show "$WORK/log.tsv" 1 'MB of log' log ;;
      identities) show "$WORK/identities.tsv" 2 identities identities ;;
      needs) show "$WORK/needs.tsv" 3 'distinct needs' needs ;;
    esac
  done
}

report >"$WORK/report.md"
cat "$WORK/report.md"
# A part would drop the other tables from the page.
if [ -n "$docs" ] && [ "$only" = 'log identities needs' ]; then
  publish docs/benchmarks.md growth <"$WORK/report.md"
fi
