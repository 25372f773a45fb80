# Turns the measurements of compare.sh into two Markdown tables: the targets, and all of
# the figures. First file: name, threads, median, least seconds; second: name, threads, MiB.

FNR == NR { median[$1, $2] = $3; least[$1, $2] = $4; next }
{ peak[$1, $2] = $3 }

# Seconds of something, 0 where it was not measured.
function of(name, n) { return (name, n) in median ? median[name, n] : 0 }

function rate(name, n) { return of(name, n) ? bytes / of(name, n) / 1e9 : 0 }

function target(figure, wanted, got, met) {
  printf "| %s | %s | %s | %s |\n", figure, wanted, got, met == "" ? "not measured" : met ? "met" : "**missed**"
}

# The faster of the two inflaters is what counts.
function inflating(figure, time, own, flate2) {
  target(figure, "0.85 of inflate only", sprintf("%.2f; %.2f of flate2", ratio(own, time), ratio(flate2, time)), \
    ratio(own < flate2 ? own : flate2, time) >= 0.85)
}

function ratio(over, under) { return under ? over / under : 0 }

function row(what, n, name, size,    time) {
  if (!((name, n) in median)) return
  time = median[name, n]
  printf "| %s | %d | %.3f s | %.3f s | %s | %s |\n", what, n, time, least[name, n], \
    size ? sprintf("%.2f GB/s", size / time / 1e9) : "", \
    (name, n) in peak ? sprintf("%.1f MiB", peak[name, n]) : ""
}

function rows(n) {
  row("leastrole, plain", n, "plain", bytes)
  row("leastrole, one gzip", n, "gzip", bytes)
  row("leastrole, 64 gzip parts", n, "parts", bytes)
  row("inflate only, 64 gzip parts", n, "own-parts", bytes)
  row("flate2 only, 64 gzip parts", n, "inflate-parts", bytes)
}

END {
  print "| figure | target | measured | |"
  print "| --- | --- | --- | --- |"
  if (of("audit2rbac", 1)) {
    got = ratio(of("audit2rbac", 1), of("plain", threads))
    target("plain, all identities, against audit2rbac for one", "100 x", sprintf("%.0f x", got), got >= 100)
  } else
    target("plain, all identities, against audit2rbac for one", "100 x", "", "")
  floor = 0.3 * rate("wc", 1); if (floor < 2) floor = 2
  got = rate("plain", 1)
  target("plain, one thread", sprintf("%.2f GB/s", floor), sprintf("%.2f GB/s, %.2f of `wc -l`", got, ratio(got, rate("wc", 1))), got >= floor)
  got = ratio(of("wc", 1), of("plain", threads))
  target("plain, " threads " threads", "0.45 of `wc -l`", sprintf("%.2f", got), got >= 0.45)
  inflating("64 gzip parts, " threads " threads", of("parts", threads), of("own-parts", threads), of("inflate-parts", threads))
  inflating("one gzip, " threads " threads", of("gzip", threads), of("own", 1), of("inflate", 1))
  most = 0
  split("plain gzip parts one ten", names, " ")
  for (i in names) {
    if (peak[names[i], 1] + 0 > most) most = peak[names[i], 1]
    if (peak[names[i], threads] + 0 > most) most = peak[names[i], threads]
  }
  target("peak memory, any of these", "64 MiB", sprintf("%.1f MiB", most), most <= 64)
  got = ratio(of("ten", threads), of("one", threads))
  target(one_mb " to " ten_mb " MB: time", "10.5 x", sprintf("%.2f x", got), got <= 10.5)
  got = ratio(peak["ten", threads], peak["one", threads])
  target(one_mb " to " ten_mb " MB: memory", "1.1 x", sprintf("%.2f x", got), got <= 1.1)
  got = of("version", 1) * 1000
  target("`leastrole --version`", "10 ms", sprintf("%.1f ms", got), got <= 10)

  print ""
  print "| | threads | median | least | rate | peak memory |"
  print "| --- | --- | --- | --- | --- | --- |"
  rows(1)
  if (threads > 1) rows(threads)
  row("inflate only, one gzip", 1, "own", bytes)
  row("flate2 only, one gzip", 1, "inflate", bytes)
  row("leastrole, plain, " one_mb " MB", threads, "one", one_mb * 1e6)
  row("leastrole, plain, " ten_mb " MB", threads, "ten", ten_mb * 1e6)
  row("`wc -l`", 1, "wc", bytes)
  row("`zcat`", 1, "zcat", bytes)
  row("`jq`, the same fields", 1, "jq", bytes)
  row("audit2rbac, one service account", 1, "audit2rbac", bytes)
  row("`leastrole --version`", 1, "version", 0)
}
