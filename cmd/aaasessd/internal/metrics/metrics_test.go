package metrics_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/local"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/cmd/aaasessd/internal/metrics"
	"aaasess/internal/histogram"
	"aaasess/internal/servers"
	"aaasess/mib"
	"aaasess/sessions"
	"aaasess/sessions/admission"
	naslocal "aaasess/sessions/local"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/radius/dynauth"
	"aaasess/sessions/radius/relay"
	"aaasess/store"
)

// observed returns the snapshot of a histogram that has seen these durations.
func observed(all ...time.Duration) histogram.Snapshot {
	h := histogram.New(time.Millisecond, time.Second)
	for _, d := range all {
		h.Observe(d)
	}
	return h.Snapshot()
}

var (
	counted     = nasradius.Counters{Requests: 9, Responses: 8, Duplicates: 1, Malformed: 2, BadAuthenticators: 3, Refused: 4, Dropped: 5, StatusServers: 6, LeftOut: 7}
	authCounted = nasradius.AuthCounters{Requests: 19, Responses: 18, Accepts: 17, Rejects: 16, Challenges: 15, Unsigned: 14}
	change      = nasradius.ChangeCounters{Requests: 29, Responses: 28, ACKs: 27, NAKs: 26, Stale: 25}
)

// view is that of two servers with one name, for both protocols.
func view() *servers.View {
	now := time.Unix(2000, 0)
	stats := servers.Stats{
		Requests: 10, Retransmissions: 3, Timeouts: 4, Responses: 9, Successes: 8, Failures: 1, TimedResponses: 5, ResponseTime: 50 * time.Millisecond, ResponseTimes: [...]uint64{2, 0, 0, 2, 0, 0, 0, 0, 0},
		MaxResponseTime: 30 * time.Millisecond, Tests: 2, TestsFailed: 1, Accepts: 6, Rejects: 2, Challenges: 1, MalformedResponses: 1, PendingRequests: 2,
	}
	return &servers.View{Now: now, InvalidAcctAddresses: 1, InvalidAuthAddresses: 2, Entries: []servers.Entry{
		{
			Identity:   servers.Identity{Protocol: servers.TACACS, Name: "r1", Host: "192.0.2.1", AuthPort: 49, AcctPort: 49},
			Accounting: servers.Stats{Requests: 1, Errors: 2, Follows: 3, Opened: 4}, State: servers.Lifetime{Since: now},
		},
		{
			Identity:   servers.Identity{Protocol: servers.RADIUS, Name: "r1", Host: "radius.example", AuthPort: 1812, AcctPort: 1813},
			Accounting: stats, Authentication: stats,
			State: servers.Lifetime{Dead: true, Since: now.Add(-1500 * time.Millisecond), TotalDead: time.Minute, Deaths: 2},
		},
	}}
}

// full returns the Sources of a daemon that has all parts.
func full() metrics.Sources {
	table := &sessions.View{Counters: sessions.Counters{HighWater: 4, Total: 9, Disconnected: 2}}
	file := local.Spec{File: "x"}
	return metrics.Sources{
		Version: "v1", Commit: "abc", NotReady: func() []string { return nil }, Reasons: func() []string { return []string{"a", "b"} },
		Reloads: func() metrics.Reloads { return metrics.Reloads{Successes: 2, Failures: 1, Failed: true} },
		Sessions: func() metrics.Sessions {
			return metrics.Sessions{View: table, Calls: 1, Groups: 2, Stale: 3, Superseded: map[string]uint64{"NAS-Port": 4, "Acct-Session-Id": 5}, Stuck: 6}
		},
		Accounting: func() (nasradius.Stats, []nasradius.AnswerTime) {
			return nasradius.Stats{Counters: nasradius.Counters{UnknownClients: 7}, Clients: []nasradius.ClientCounters{
					{Name: "bras", Prefix: "192.0.2.0/24", Counters: counted}, {Prefix: "198.51.100.1/32", Counters: counted},
				}},
				[]nasradius.AnswerTime{{Name: "bras", Prefix: "192.0.2.0/24", Snapshot: observed(time.Microsecond, time.Millisecond, time.Minute)}, {Name: "", Prefix: "198.51.100.1/32", Snapshot: observed()}}
		},
		Authentication: func() (nasradius.AuthStats, []nasradius.AnswerTime) {
			return nasradius.AuthStats{Clients: []nasradius.AuthClientCounters{{Name: "bras", Prefix: "192.0.2.0/24", AuthCounters: authCounted}}}, nil
		},
		DynAuth: func() (nasradius.ChangeStats, []nasradius.AnswerTime) {
			return nasradius.ChangeStats{Servers: []nasradius.ChangeServerCounters{{Name: "r1", Prefix: "192.0.2.1/32", ChangeCounters: change}, {Name: "r2", Prefix: "192.0.2.3/32", ChangeCounters: change}, {Name: "r1", Prefix: "192.0.2.2/32", ChangeCounters: change}}},
				[]nasradius.AnswerTime{{Name: "r1", Prefix: "192.0.2.1/32", Snapshot: observed(time.Second)}, {Name: "r2", Prefix: "192.0.2.3/32", Snapshot: observed()}, {Name: "r1", Prefix: "192.0.2.2/32", Snapshot: observed(time.Hour)}}
		},
		Relay: func() (relay.Stats, admission.Stats) {
			return relay.Stats{Requests: 1, Groups: []relay.GroupStats{{Name: "isp", Requests: 2, Silent: 1}}}, admission.Stats{Waiting: 3}
		},
		Changes: func() dynauth.Stats { return dynauth.Stats{Disconnects: 1, InFlight: 2} }, Disconnects: func() dae.Stats { return dae.Stats{Requests: 3, ACKs: 2} },
		Servers: view,
		Groups: func() []metrics.Group {
			return []metrics.Group{{servers.RADIUS, "isp", []string{"r1"}}, {servers.TACACS, "other", []string{"r1"}}}
		},
		Queues: func() []methods.Queue {
			return []methods.Queue{
				{QueueStats: delivery.QueueStats{Queue: "group/isp", Pending: 3, Oldest: time.Now().Add(-time.Hour), Lost: true}},
				{QueueStats: delivery.QueueStats{Queue: "local", Delivered: 4, Refused: 1}, Method: delivery.MethodStats{Method: "local", Delivered: 4, Hold: delivery.Held}, Configured: true},
			}
		},
		Methods: func() []methods.Status {
			return []methods.Status{{Spec: file, Configured: true, OnOff: &onoff.Status{State: onoff.SendAcctOn, Block: onoff.Block{Blocked: true}}}}
		},
		DeliveryTime: func(accounting.MethodName) histogram.Snapshot { return observed(time.Second, time.Hour) },
		Records:      func() accounting.RouterStats { return accounting.RouterStats{Records: 5, EmptyAttributes: 1} },
		Interims:     func() uint64 { return 1 }, SetAside: func() uint64 { return 2 }, WaitingStops: func() int { return 3 },
		Store: func() store.Space {
			return store.Space{Free: 1 << 30, Size: 1 << 20, Accepting: errors.New("full"), Warning: true}
		},
		Damage: func() int { return 1 },
		Conditions: func() metrics.Conditions {
			return metrics.Conditions{SpoolOver: true, Records: 1000, Age: time.Hour, Blocked: map[string]bool{"local": false, "group isp": true}}
		},
		SNMP: func() snmp.Stats { return snmp.Stats{Gets: 4, Forbidden: 1} },
		SNMPOperations: func() []snmp.OperationStats {
			return []snmp.OperationStats{
				{Name: "get", Errors: []snmp.StatusCount{{Status: mib.GenErr}, {Status: 16, Answers: 2}}, AnswerTime: observed(time.Microsecond)},
				{Name: "set", Errors: []snmp.StatusCount{{Status: mib.WrongValue}}, AnswerTime: observed()},
			}
		},
		Notifications: func() []notify.TargetStats {
			return []notify.TargetStats{{Name: "nms", Sent: 3, Waiting: 1, UnderWay: 1}}
		},
		AgentX: func() agentx.Stats { return agentx.Stats{Connected: true, Connects: 2} },
		AgentXOperations: func() []agentx.OperationStats {
			return []agentx.OperationStats{
				{Name: "GetNext", Errors: []agentx.CodeCount{{Name: "genErr", Answers: 3}}, AnswerTime: observed(time.Hour)},
				{Name: "TestSet", Errors: []agentx.CodeCount{{Name: "wrongValue"}}, AnswerTime: observed()},
			}
		},
		Local: func() []naslocal.RequestCount {
			return []naslocal.RequestCount{{Outcome: naslocal.Refused, Requests: 1}, {Path: "/v1/start", Requests: 2}}
		},
	}
}

// gather returns the metrics of these sources and those of the process.
func gather(t testing.TB, s metrics.Sources) *metrics.Metrics {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	return metrics.New(registry, s)
}

// TestNames: the names and the help are as promlint wants them.
func TestNames(t *testing.T) {
	problems, err := testutil.GatherAndLint(gather(t, full()))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestConsistency: the metrics are what a registry would accept: no metric is there twice, and all have
// the labels of their family and valid values.
func TestConsistency(t *testing.T) {
	for _, tt := range []struct {
		name    string
		sources metrics.Sources
	}{{"all parts", full()}, {"no part", metrics.Sources{}}, {"1,000 servers", many(1000)}} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := prometheus.Gatherers{gather(t, tt.sources)}.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range all {
				var names string
				for i, m := range f.Metric {
					var got []string
					for _, l := range m.Label {
						got = append(got, l.GetName())
					}
					if i == 0 {
						names = fmt.Sprint(got)
					}
					if fmt.Sprint(got) != names && strings.HasPrefix(f.GetName(), "aaasess_") {
						t.Errorf("%s has the labels %s and %s", f.GetName(), names, got)
					}
				}
			}
		})
	}
}

// TestEachFamily: a daemon with all parts has each family that is defined.
func TestEachFamily(t *testing.T) {
	all, err := gather(t, full()).Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, f := range all {
		got[f.GetName()] = true
	}
	for _, f := range metrics.Families() {
		if !got[f.Name] {
			t.Errorf("%s is never there", f.Name)
		}
	}
}

// line returns the lines of a metric in a text.
func lines(text, name string) (out []string) {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, name+"{") || strings.HasPrefix(l, name+" ") {
			out = append(out, strings.TrimSpace(strings.TrimPrefix(l, "aaasess_")))
		}
	}
	return out
}

// scrape returns the metrics as text.
func scrape(t testing.TB, s metrics.Sources) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(gather(t, s), promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// The purposes of a server.
const (
	forAccounting     = "accounting"
	forAuthentication = "authentication"
)

// responseTimes returns the buckets of the server of [view] that has answered in time.
func responseTimes(purpose string) (out []string) {
	for _, bucket := range []string{`0.001"} 2`, `0.005"} 2`, `0.01"} 2`, `0.025"} 4`, `0.05"} 4`, `0.1"} 4`, `0.25"} 4`, `1"} 4`, `5"} 4`, `+Inf"} 5`} {
		out = append(out, fmt.Sprintf(`server_response_seconds_bucket{protocol="radius",server="r1",purpose="%s",le="%s`, purpose, bucket))
	}
	return out
}

func TestValues(t *testing.T) {
	text := scrape(t, full())
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"degraded_reasons", []string{"degraded_reasons 2"}},
		{"config_last_reload_successful", []string{"config_last_reload_successful 0"}},
		{"sessions", []string{`sessions{kind="network"} 0`, `sessions{kind="exec"} 0`, `sessions{kind="connection"} 0`}},
		{"sessions_superseded_total", []string{`sessions_superseded_total{attribute="Acct-Session-Id"} 5`, `sessions_superseded_total{attribute="NAS-Port"} 4`}},
		{"listener_requests_total", []string{
			`listener_requests_total{listener="accounting",client="bras"} 9`,
			`listener_requests_total{listener="accounting",client="198.51.100.1/32"} 9`,
			`listener_requests_total{listener="authentication",client="bras"} 19`,
			`listener_requests_total{listener="dynamic-authorization",client="r1"} 58`, // of two addresses
			`listener_requests_total{listener="dynamic-authorization",client="r2"} 29`,
		}},
		{"listener_answer_seconds_bucket", []string{
			`listener_answer_seconds_bucket{listener="accounting",client="bras",le="0.001"} 2`,
			`listener_answer_seconds_bucket{listener="accounting",client="bras",le="1"} 2`,
			`listener_answer_seconds_bucket{listener="accounting",client="bras",le="+Inf"} 3`,
			`listener_answer_seconds_bucket{listener="dynamic-authorization",client="r1",le="0.001"} 0`,
			`listener_answer_seconds_bucket{listener="dynamic-authorization",client="r1",le="1"} 1`,
			`listener_answer_seconds_bucket{listener="dynamic-authorization",client="r1",le="+Inf"} 2`,
		}},
		{"listener_answer_seconds_sum", []string{
			`listener_answer_seconds_sum{listener="accounting",client="bras"} 60.001001`,
			`listener_answer_seconds_sum{listener="dynamic-authorization",client="r1"} 3601`,
		}},
		{"server_up", []string{`server_up{protocol="tacacs",server="r1"} 1`, `server_up{protocol="radius",server="r1"} 0`}},
		{"server_state_timestamp_seconds", []string{
			`server_state_timestamp_seconds{protocol="tacacs",server="r1"} 2000`, `server_state_timestamp_seconds{protocol="radius",server="r1"} 1998.5`,
		}},
		{"server_response_seconds_sum", []string{
			`server_response_seconds_sum{protocol="radius",server="r1",purpose="accounting"} 0.05`,
			`server_response_seconds_sum{protocol="radius",server="r1",purpose="authentication"} 0.05`,
		}},
		{"server_response_seconds_bucket", append(responseTimes(forAccounting), responseTimes(forAuthentication)...)},
		{"server_error_responses_total", []string{
			`server_error_responses_total{protocol="tacacs",server="r1",status="error"} 2`, `server_error_responses_total{protocol="tacacs",server="r1",status="follow"} 3`,
		}},
		{"server_group_info", []string{`server_group_info{protocol="radius",server="r1",group="isp"} 1`, `server_group_info{protocol="tacacs",server="r1",group="other"} 1`}},
		{"queue_records", []string{`queue_records{method="group isp"} 3`, `queue_records{method="local"} 0`}},
		{"queue_lost", []string{`queue_lost{method="group isp"} 1`, `queue_lost{method="local"} 0`}},
		{"method_held", []string{`method_held{method="local"} 1`}},
		{"method_delivery_seconds_count", []string{`method_delivery_seconds_count{method="local"} 2`}},
		{"acct_on_off_state", []string{
			`acct_on_off_state{method="local",state="unknown"} 0`, `acct_on_off_state{method="local",state="sendAcctOn"} 1`,
			`acct_on_off_state{method="local",state="on"} 0`, `acct_on_off_state{method="local",state="sendAcctOff"} 0`,
			`acct_on_off_state{method="local",state="off"} 0`, `acct_on_off_state{method="local",state="OffNoResp"} 0`,
		}},
		{"store_accepting", []string{"store_accepting 0"}},
		{"spool_over", []string{"spool_over 1"}},
		{"spool_threshold_records", []string{"spool_threshold_records 1000"}},
		{"spool_threshold_age_seconds", []string{"spool_threshold_age_seconds 3600"}},
		{"store_disk_short", []string{"store_disk_short 0"}},
		{"method_blocked", []string{`method_blocked{method="group isp"} 1`, `method_blocked{method="local"} 0`}},
		{"snmp_notifications_waiting", []string{`snmp_notifications_waiting{target="nms"} 2`}},
		{"snmp_errors_total", []string{
			`snmp_errors_total{operation="get",status="genErr"} 0`, `snmp_errors_total{operation="get",status="authorizationError"} 2`,
			`snmp_errors_total{operation="set",status="wrongValue"} 0`,
		}},
		{"snmp_answer_seconds_count", []string{`snmp_answer_seconds_count{operation="get"} 1`}},
		{"agentx_errors_total", []string{`agentx_errors_total{type="GetNext",error="genErr"} 3`, `agentx_errors_total{type="TestSet",error="wrongValue"} 0`}},
		{"agentx_answer_seconds_count", []string{`agentx_answer_seconds_count{type="GetNext"} 1`}},
		{"local_requests_total", []string{`local_requests_total{path="other",result="refused"} 1`, `local_requests_total{path="/v1/start",result="done"} 2`}},
		{"agentx_connected", []string{"agentx_connected 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(text, "aaasess_"+tt.name)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, l := range lines(text, "aaasess_queue_oldest_record_age_seconds") {
		var age float64
		if _, err := fmt.Sscanf(l, `queue_oldest_record_age_seconds{method="group isp"} %g`, &age); err == nil && (age < 3599 || age > 3700) {
			t.Errorf("the age is %g", age)
		}
	}
}

// failing is a registry that fails.
type failing struct{}

func (failing) Gather() ([]*dto.MetricFamily, error) { return nil, errors.New("broken") }

func TestRegistryFails(t *testing.T) {
	if _, err := metrics.New(failing{}, full()).Gather(); err == nil || err.Error() != "metrics: broken" {
		t.Errorf("%v", err)
	}
}

// many returns the sources of a daemon with n servers, each used for both purposes, in groups of ten.
func many(n int) metrics.Sources {
	s, one := full(), view().Entries[1]
	v := &servers.View{Now: time.Now(), Entries: make([]servers.Entry, n)}
	groups := make([]metrics.Group, (n+9)/10)
	for i := range v.Entries {
		e := &v.Entries[i]
		*e = one
		e.Name, e.Addr = fmt.Sprintf("server-%04d", i), netip.MustParseAddr("192.0.2.1")
		g := &groups[i/10]
		g.Protocol, g.Name, g.Servers = servers.RADIUS, fmt.Sprintf("group-%d", i/10), append(g.Servers, e.Name)
	}
	s.Servers, s.Groups = func() *servers.View { return v }, func() []metrics.Group { return groups }
	return s
}

// BenchmarkScrape is a scrape of a daemon with 1,000 servers. What it needs of the session table does not
// depend on the number of sessions, see BenchmarkScrape of the daemon.
func BenchmarkScrape(b *testing.B) {
	h := promhttp.HandlerFor(gather(b, many(1000)), promhttp.HandlerOpts{DisableCompression: true})
	octets := 0
	for b.Loop() {
		w := &discarding{header: http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		octets = w.n
	}
	b.ReportMetric(float64(octets), "octets/scrape")
}

type discarding struct {
	header http.Header
	n      int
}

func (d *discarding) Header() http.Header { return d.header }
func (d *discarding) WriteHeader(int)     {}
func (d *discarding) Write(b []byte) (int, error) {
	d.n += len(b)
	return io.Discard.Write(b)
}
