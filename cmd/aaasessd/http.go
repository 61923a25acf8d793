package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/metrics"
	"aaasess/cmd/aaasessd/internal/web"
)

// maxScrapes is how many scrapes are answered at the same time. Each holds all metrics in memory.
const maxScrapes = 4

// patience is how long the callbacks of the store may run for /healthz. It may be asked at any time, so it
// cannot count probes.
const patience = 5 * time.Second

// openHTTP opens the HTTP listener, if there is one, after everything that it shows.
func (d *daemon) openHTTP(cfg *config.Config) (err error) {
	if cfg.HTTP == nil {
		return nil
	}
	hc := *cfg.HTTP
	hc.Logger = d.log
	if err := checkStatusPage(cfg); err != nil {
		return err
	}
	if d.http, err = web.New(hc); err != nil {
		return err
	}
	d.http.Handle("GET /metrics", web.Limited(maxScrapes, d.newScrape()))
	d.http.Handle("GET /healthz", web.Liveness((&health{daemon: d, patience: patience}).probe))
	d.http.Handle("GET /readyz", web.Readiness(d.notReady, d.reasons))
	d.openPage(cfg)
	return nil
}

// newScrape returns the handler of /metrics.
func (d *daemon) newScrape() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	// Without compression: to compress the metrics of 1,000 servers takes longer than to make them.
	return promhttp.HandlerFor(metrics.New(registry, d.metricSources()), promhttp.HandlerOpts{DisableCompression: true})
}

// setHTTP applies a new configuration.
func (d *daemon) setHTTP(cfg *config.Config) {
	if d.http != nil {
		d.http.SetSettings(cfg.HTTP.Settings)
		d.statusPage.Store(&cfg.StatusPage)
	}
}

// readiness is what the daemon knows of its tasks.
type readiness struct {
	tasks  atomic.Pointer[[]task] // those that must be ready; nil: they do not run yet
	ending atomic.Bool
}

// faults returns why nobody is served yet, or no more.
func (r *readiness) faults() (out []string) {
	tasks := r.tasks.Load()
	switch {
	case r.ending.Load():
		return []string{"the daemon is ending"}
	case tasks == nil:
		return []string{"the daemon is starting"}
	}
	for _, t := range *tasks {
		select {
		case <-t.Ready():
		default:
			out = append(out, fmt.Sprintf("not ready yet: %s", t))
		}
	}
	return out
}

// notReady returns why NASes get no answers: a task does not run, or nothing can be stored.
func (d *daemon) notReady() []string {
	out := d.readiness.faults()
	if err := d.store.Accepting(); err != nil {
		out = append(out, "new events are refused: "+err.Error())
	}
	return out
}

// reloads counts the reloads of the configuration.
type reloads struct {
	successes, failures atomic.Uint64
	failed              atomic.Bool // the last one
}

func (r *reloads) count(err error) {
	if r.failed.Store(err != nil); err != nil {
		r.failures.Add(1)
	} else {
		r.successes.Add(1)
	}
}

func (r *reloads) status() metrics.Reloads {
	return metrics.Reloads{Successes: r.successes.Load(), Failures: r.failures.Load(), Failed: r.failed.Load()}
}
