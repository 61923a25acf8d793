package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

// httpConfig is plainConfig with a listener for HTTP on a free port.
func httpConfig(t *testing.T, more string) string {
	t.Helper()
	return with(t, plainConfig, "radius:\n", "http: {listen: [\"127.0.0.1:0\"]"+more+"}\nradius:\n")
}

// get asks the daemon's HTTP listener.
func (l *inProcess) get(path string) (code int, body string) {
	l.t.Helper()
	client := &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.d.http.Addrs()[0].String() + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// metric returns the value of a metric, with its labels; false if it is not there.
func (l *inProcess) metric(name string) (value float64, ok bool) {
	l.t.Helper()
	code, text := l.get("/metrics")
	if code != http.StatusOK {
		l.t.Fatalf("%d: %s", code, text)
	}
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				l.t.Fatal(err)
			}
			return value, true
		}
	}
	return 0, false
}

// wantMetrics waits until metrics have these values.
func (l *inProcess) wantMetrics(want map[string]float64) {
	l.t.Helper()
	for name, value := range want {
		var got float64
		eventually(l.t, name, func() bool {
			var ok bool
			got, ok = l.metric(name)
			return ok && got == value
		}, &got)
	}
}

// TestMetricsOfSessions: what NASes do is in the metrics: requests by client, sessions by kind, records by
// method, and how long it took.
func TestMetricsOfSessions(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"), packet(acctStop, "S1", "alice"))
	l.wantMetrics(map[string]float64{
		`aaasess_sessions{kind="network"}`:                                                          1,
		`aaasess_sessions_started_total`:                                                            2,
		`aaasess_listener_requests_total{listener="accounting",client="loopback"}`:                  3,
		`aaasess_listener_answer_seconds_count{listener="accounting",client="loopback"}`:            3,
		`aaasess_listener_answer_seconds_bucket{listener="accounting",client="loopback",le="+Inf"}`: 3,
		`aaasess_method_delivered_total{method="local"}`:                                            3,
		`aaasess_method_delivery_seconds_count{method="local"}`:                                     3,
		`aaasess_records_total`:                                                                     3,
		`aaasess_ready`:                                                                             1,
		`aaasess_store_accepting`:                                                                   1,
	})
	for _, name := range []string{"go_goroutines", "process_open_fds"} {
		if got, ok := l.metric(name); !ok || got < 1 {
			t.Errorf("%s is %g", name, got)
		}
	}
}

// TestMetricsOfServers: the states and counters of servers, and their groups.
func TestMetricsOfServers(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	text := with(t, relayConfig(t, "isp", u), "radius:\n", "http: {listen: [\"127.0.0.1:0\"]}\nradius:\n", "hold-down: 0s}", "hold-down: 1m}")
	l := launch(t, text, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.wantMetrics(map[string]float64{
		`aaasess_server_up{protocol="radius",server="r0"}`:                                                       1,
		`aaasess_server_transactions_total{protocol="radius",server="r0",purpose="accounting",result="success"}`: 1,
		`aaasess_server_response_seconds_count{protocol="radius",server="r0",purpose="accounting"}`:              1,
		`aaasess_server_group_info{protocol="radius",server="r0",group="isp"}`:                                   1,
		`aaasess_method_up{method="group isp"}`:                                                                  1,
		`aaasess_degraded_reasons`:                                                                               0,
	})
	u.setSilent(true)
	l.mustAccount(packet(acctStop, "S1", "alice"))
	l.wantMetrics(map[string]float64{
		`aaasess_server_up{protocol="radius",server="r0"}`:           0,
		`aaasess_server_deaths_total{protocol="radius",server="r0"}`: 1,
		`aaasess_method_up{method="group isp"}`:                      0,
		`aaasess_queue_records{method="group isp"}`:                  1,
	})
	// NASes still get answers.
	code, body := l.get("/readyz")
	if code != http.StatusOK || !strings.HasPrefix(body, "ok\ndegraded: queue group/isp: no server answers since ") {
		t.Errorf("%d %q", code, body)
	}
}

// TestMetricsOfConditions: the states that SNMP managers are told of are in the metrics, until they are
// over.
func TestMetricsOfConditions(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	text := with(t, relayConfig(t, "isp", u), "radius:\n", "http: {listen: [\"127.0.0.1:0\"]}\nthresholds: {spool-records: 1, blocked-after: 1s}\nradius:\n")
	l := launch(t, text, environment{})
	l.wantMetrics(map[string]float64{"aaasess_spool_over": 0, "aaasess_store_disk_short": 0, "aaasess_spool_threshold_records": 1, "aaasess_spool_threshold_age_seconds": 3600})
	u.setSilent(true)
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.wantMetrics(map[string]float64{"aaasess_spool_over": 1, `aaasess_method_blocked{method="group isp"}`: 1})
	u.setSilent(false)
	l.wantMetrics(map[string]float64{"aaasess_spool_over": 0, `aaasess_method_blocked{method="group isp"}`: 0})
}

// TestReadyzOfFullDisk: while nothing can be stored, the daemon is not ready, but alive.
func TestReadyzOfFullDisk(t *testing.T) {
	disk := store.NewDisk()
	l := launch(t, httpConfig(t, ""), environment{disk: disk})
	if code, body := l.get("/readyz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("%d %q", code, body)
	}
	disk.SetFree(1)
	var code int
	var body string
	eventually(t, "not ready", func() bool {
		code, body = l.get("/readyz")
		return code == http.StatusServiceUnavailable && strings.HasPrefix(body, "new events are refused: ")
	}, &body)
	if code, body := l.get("/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("%d %q", code, body)
	}
	l.wantMetrics(map[string]float64{"aaasess_store_accepting": 0, "aaasess_ready": 0})
}

// TestReadiness: what is not ready is named, and so is the end.
func TestReadiness(t *testing.T) {
	var r readiness
	never := loop{"the other", make(chan struct{}), nil}
	for _, tt := range []struct {
		name string
		do   func()
		want []string
	}{
		{"before the tasks run", func() {}, []string{"the daemon is starting"}},
		{"one is not ready", func() { r.tasks.Store(&[]task{loop{"one", readyAtOnce(), nil}, never}) }, []string{"not ready yet: the other"}},
		{"all are", func() { r.tasks.Store(&[]task{loop{"one", readyAtOnce(), nil}}) }, nil},
		{"at the end", func() { r.ending.Store(true) }, []string{"the daemon is ending"}},
	} {
		tt.do()
		if diff := cmp.Diff(tt.want, r.faults()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestReloadOfHTTP: a reload changes hosts and profiles, is counted, and cannot add or remove the
// listener, nor change its addresses.
func TestReloadOfHTTP(t *testing.T) {
	text := httpConfig(t, "")
	l := launch(t, text, environment{})
	if code, _ := l.get("/debug/pprof/cmdline"); code != http.StatusNotFound {
		t.Errorf("profiles by default: %d", code)
	}
	l.reload(httpConfig(t, ", pprof: true, hosts: [aaa.example]"), "configuration loaded")
	if code, _ := l.get("/debug/pprof/cmdline"); code != http.StatusOK {
		t.Errorf("profiles: %d", code)
	}
	for _, refused := range []string{plainConfig, strings.Replace(text, "127.0.0.1:0\"]}", "127.0.0.1:0\"], web-config: web.yml}", 1)} {
		l.reload(refused, "configuration not loaded")
	}
	l.wantMetrics(map[string]float64{
		`aaasess_config_reloads_total{result="success"}`: 1, `aaasess_config_reloads_total{result="failure"}`: 2, "aaasess_config_last_reload_successful": 0,
	})
	if !strings.Contains(l.log.String(), "a restart is needed to change http") {
		t.Error("the log does not say that http needs a restart")
	}
}

// TestPortIsTaken: a port that is taken ends the start with an error that names the key.
func TestPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "aaasess.yaml")
	if err := os.WriteFile(file, []byte(with(t, httpConfig(t, ""), "127.0.0.1:0\"]}\nradius", taken.Addr().String()+"\"]}\nradius")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = assemble(file, io.Discard, io.Discard, environment{})
	if err == nil || !strings.Contains(err.Error(), "http.listen") || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("%v", err)
	}
}

// BenchmarkScrape is a scrape of a daemon with 1,000 servers and 1,000,000 sessions.
func BenchmarkScrape(b *testing.B) {
	const servers, live = 1000, 1_000_000
	text := "http: {listen: [\"127.0.0.1:0\"]}\nradius:\n  servers:\n"
	for i := range servers {
		text += fmt.Sprintf("    - {name: server-%04d, address: 127.0.%d.%d, auth-port: 1812, acct-port: 1813, secret: x}\n", i, 1+i/250, 1+i%250)
	}
	file := filepath.Join(b.TempDir(), "aaasess.yaml")
	text = strings.Replace(plainConfig, "radius:\n", text, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	d, err := assemble(file, io.Discard, io.Discard, environment{disk: store.NewDisk()})
	if err != nil {
		b.Fatal(err)
	}
	defer d.close()
	const inFlight = 10_000
	done := make(chan error, inFlight)
	for i := range live + inFlight {
		if i >= inFlight {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
		if i >= live {
			continue
		}
		sid := fmt.Sprintf("%08X", i)
		err := d.table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)),
		}, func(err error) { done <- err })
		if err != nil {
			b.Fatal(err)
		}
	}
	if n := d.table.View().Len(); n != live || len(d.serverView().Entries) != servers {
		b.Fatalf("%d sessions", n)
	}
	h := d.newScrape()
	runtime.GC() // what filled the table is not part of a scrape
	octets, before := 0, cpuTime(b)
	for b.Loop() {
		w := &counting{header: http.Header{}, code: http.StatusOK}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if octets = w.octets; w.code != http.StatusOK || octets < servers*3000 {
			b.Fatalf("%d, %d octets", w.code, octets)
		}
	}
	b.ReportMetric(float64(octets), "octets/scrape")
	b.ReportMetric(float64(cpuTime(b)-before)/1e6/float64(b.N), "cpu-ms/scrape") // also where others use the processors
}

// counting is an answer that is only counted.
type counting struct {
	header       http.Header
	code, octets int
}

func (c *counting) Header() http.Header  { return c.header }
func (c *counting) WriteHeader(code int) { c.code = code }
func (c *counting) Write(b []byte) (int, error) {
	c.octets += len(b)
	return len(b), nil
}
