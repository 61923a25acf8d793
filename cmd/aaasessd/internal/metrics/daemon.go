package metrics

import "runtime"

var (
	buildInfo = gauge("build_info", "Always 1. The labels tell the version of aaasessd.", "version", "commit", "goversion")
	ready     = gauge("ready", "Whether the daemon serves NASes, managers and commands, as at /readyz.")
	degraded  = gauge("degraded_reasons", "How many things an operator should look at: the reasons at /readyz and in aaasess show status.")
	reloads   = counter("config_reloads_total", "Reloads of the configuration file.", "result")
	reloaded  = gauge("config_last_reload_successful", "0 if the last reload was refused, and the daemon runs with an older configuration.")
)

func (b *builder) addDaemon(s *Sources) {
	b.add(buildInfo, 1, nil, s.Version, s.Commit, runtime.Version())
	if s.NotReady != nil {
		b.is(ready, len(s.NotReady()) == 0, nil)
	}
	if s.Reasons != nil {
		b.add(degraded, float64(len(s.Reasons())), nil)
	}
	if s.Reloads != nil {
		r := s.Reloads()
		b.count(reloads, r.Successes, nil, "success")
		b.count(reloads, r.Failures, nil, "failure")
		b.is(reloaded, !r.Failed, nil)
	}
}
