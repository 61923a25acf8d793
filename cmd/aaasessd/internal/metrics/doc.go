// Package metrics shows the statistics of the daemon's parts as Prometheus metrics. docs/metrics.md
// lists them.
//
// The parts count for themselves, and know nothing of Prometheus. A scrape reads their statistics
// ([Sources]) and makes the metrics of them: nothing is kept between scrapes, and nothing iterates over
// sessions or records. Labels are names of the configuration (clients, servers, groups, methods, targets)
// and fixed words, never what a packet says, so a network cannot make metrics.
//
// # Why not a Collector
//
// A daemon with 1,000 servers has 40,000 metrics. A prometheus.Registry checks and hashes each one at
// each scrape, which takes several times as long as to make and write them. These metrics are made of
// constant definitions, so tests make the checks: [Metrics] is a prometheus.Gatherer that returns the
// families as they are, after those of the registry that it was made with.
//
// # Concurrency
//
// Gather may be called from any goroutine.
package metrics
