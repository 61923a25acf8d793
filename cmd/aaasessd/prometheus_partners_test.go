//go:build partners

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/gosnmp/gosnmp"

	"aaasess/cmd/internal/api"
	"aaasess/internal/partner"
	"aaasess/internal/radius"
	"aaasess/internal/tacacs/tacacstest"
	"aaasess/mib/casn"
	localreport "aaasess/sessions/local/report"
	"aaasess/sessions/radius/radiustest"
)

// The files for operators that have expressions.
const (
	dashboardFile = "../../deploy/grafana/aaasess.json"
	alertFile     = "../../deploy/prometheus/aaasess.rules.yml"
	metricsPage   = "../../docs/metrics.md"
)

// watched is a daemon with all its parts, all of which have traffic, and a Prometheus that scrapes it.
type watched struct {
	*inProcess
	prometheus *partner.PrometheusProc
	config     string
	accounting *upstream
	nas        *radiustest.NAS
	logins     *authNAS
	server     *changing
	manager    *gosnmp.GoSNMP
	throughNet *gosnmp.GoSNMP // by snmpd and AgentX
	rounds     int
}

// watch starts a daemon and a Prometheus with our alerts, which asks every half second.
func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{accounting: listen(t, "127.0.0.1:0"), nas: radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)}
	logins := newAuthServer(t, func(q radius.Packet) (radius.Code, []byte) {
		if valueOf(q, radius.UserName) == "bob" {
			return radius.CodeAccessReject, nil
		}
		return radius.CodeAccessAccept, nil
	})
	_, traps := receiveTraps(t)
	snmpd := partner.Snmpd(t, partner.SnmpdOptions{AgentXNetwork: "unix"})
	w.config = with(t, responderConfig(t, traps),
		"snmp:\n", fmt.Sprintf("local: {socket: local.sock, nas-identifier: host-1}\nhttp: {listen: [\"127.0.0.1:0\"]}\nsnmp:\n  agentx: {network: unix, address: %q}\n", snmpd.AgentXAddress),
		"port: 3799", "port: "+portOf(w.nas.AddrPort()),
		"methods: [local]", "methods: [group isp]",
		"accounting:\n  network", fmt.Sprintf(`  authentication: {listen: ["127.0.0.1:0"]}
  dynamic-authorization: {listen: ["127.0.0.1:0"], servers: [{server: r0}]}
  servers:
    - {name: r0, address: 127.0.0.1, port: %s, secret: %s}
    - {name: a0, address: 127.0.0.1, acct-port: 1, auth-port: %s, secret: %s}
  groups:
    - {name: isp, servers: [r0], timeout: 300ms, retransmit: 0, hold-down: 1m, acct-on-off: {}}
    - {name: logins, servers: [a0], timeout: 300ms, retransmit: 1, hold-down: 0s}
%sauthentication: {lists: {default: {methods: [group logins]}}}
accounting:
  commands: {15: {default: {record: stop-only, methods: [group t]}}}
  exec: {default: {record: start-stop, methods: [local]}}
  network`, portOf(w.accounting.addrPort()), authSecret, logins.port(), authSecret, tacacsText(map[string]*tacacstest.Server{"t": listenTACACS(t)})))
	w.inProcess = launch(t, w.config, environment{})
	w.logins, w.server, w.manager = w.inProcess.nas(), w.changes(), w.inProcess.manager(nil)
	w.throughNet = w.inProcess.manager(func(g *gosnmp.GoSNMP) {
		host, port, _ := strings.Cut(snmpd.Addr, ":")
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		g.Target, g.Port, g.Community = host, uint16(n), partner.WriteCommunity
	})
	rules, err := filepath.Abs(alertFile)
	if err != nil {
		t.Fatal(err)
	}
	w.prometheus = partner.Prometheus(t, fmt.Sprintf(`global: {scrape_interval: 500ms, evaluation_interval: 500ms}
rule_files: [%q]
scrape_configs:
  - job_name: aaasess
    static_configs: [{targets: [%q]}]
`, rules, w.d.http.Addrs()[0].String()))
	return w
}

// round has a NAS, a server, managers and a program on this host do what they do.
func (w *watched) round() {
	w.t.Helper()
	w.rounds++
	session := fmt.Sprint("S", w.rounds)
	w.mustAccount(packet(acctStart, session, "alice"), packet(acctInterim, session, "alice"), packet(acctStop, session, "alice"))
	w.logins.must(radius.CodeAccessAccept, w.logins.request("alice", "secret", nil))
	w.logins.must(radius.CodeAccessReject, w.logins.request("bob", "secret", nil))
	w.server.must(radius.CodeDisconnectNAK, radius.SessionContextNotFound, w.server.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, "FFFFFFFF")))
	name := fmt.Sprintf(`{"source":"test","session":%q,"user":"u"}`, session)
	w.reporter().must(localreport.Start, name)
	w.reporter().must(localreport.Stop, name)
	if _, err := w.client().Simulate(w.t.Context(), &api.SimulateRequest{Event: api.SimulateCommand, NAS: "192.0.2.1", User: "u", Line: "tty1", Level: 15, Command: "show clock"}); err != nil {
		w.t.Fatal(err)
	}
	total := casn.Root.Append(1, 2, 1, 0).String()
	for _, g := range []*gosnmp.GoSNMP{w.manager, w.throughNet} {
		_, get := g.Get([]string{total})
		_, next := g.GetNext([]string{total})
		_, bulk := g.GetBulk([]string{total}, 0, 2)
		_, set := g.Set([]gosnmp.SnmpPDU{{Name: total, Type: gosnmp.Integer, Value: 1}})
		for _, err := range []error{get, next, bulk, set} {
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// scraped has traffic until Prometheus has scraped the daemon n times.
func (w *watched) scraped(n int) {
	w.t.Helper()
	var got []partner.Sample
	eventually(w.t, "Prometheus has scraped the daemon", func() bool {
		w.round()
		var err error
		if got, err = w.prometheus.Query(`count_over_time(up{job="aaasess"}[5m])`); err != nil {
			w.t.Fatal(err)
		}
		return len(got) == 1 && valueOfSample(w.t, got[0]) >= float64(n)
	}, &got)
}

func valueOfSample(t *testing.T, s partner.Sample) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(fmt.Sprint(s.Value[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// grafana replaces the variables of the dashboard as Grafana does if all is chosen, and its interval.
var grafana = strings.NewReplacer("$job", ".*", "$instance", ".*", "$client", ".*", "$protocol", ".*", "$server", ".*", "$group", ".*", "$method", ".*", "$__rate_interval", "1m")

// dashboardExpressions returns the expressions of the dashboard, by the title of the panel.
func dashboardExpressions(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expr := grafana.Replace(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s: a variable that is not known: %s", p.Title, expr)
			}
			all[p.Title] = append(all[p.Title], expr)
		}
	}
	return all
}

// TestPrometheus: Debian's Prometheus scrapes a daemon that has traffic. It has a value for each
// expression of the dashboard and of the page about metrics, and values for each variable; it loads our
// alerts, and raises them when it should.
func TestPrometheus(t *testing.T) {
	w := watch(t)
	w.scraped(4)
	w.checkDashboard(t)
	w.checkVariables(t)
	w.checkAlerts(t)
}

// checkDashboard evaluates the expressions of the dashboard and of the page.
func (w *watched) checkDashboard(t *testing.T) {
	t.Helper()
	check := func(what, expr string) {
		t.Helper()
		samples, err := w.prometheus.Query(expr)
		if err != nil {
			t.Errorf("%s: %s: %v", what, expr, err)
			return
		}
		if len(samples) == 0 {
			t.Errorf("%s has nothing: %s", what, expr)
		}
		finite := slices.ContainsFunc(samples, func(s partner.Sample) bool {
			v := valueOfSample(t, s)
			return !math.IsNaN(v) && !math.IsInf(v, 0)
		})
		if !finite && len(samples) > 0 {
			t.Errorf("%s has no number: %s: %v", what, expr, samples)
		}
	}
	all := dashboardExpressions(t)
	for panel, exprs := range all {
		for _, expr := range exprs {
			check("panel "+panel, expr)
		}
	}
	if len(all) < 40 {
		t.Errorf("%d panels", len(all))
	}
	b, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, questions, _ := strings.Cut(string(b), "## Questions")
	for part := range strings.SplitSeq(questions, "\n\n") {
		if strings.HasPrefix(part, "    ") {
			check("the page", part)
		}
	}
}

// checkVariables checks what can be chosen for each variable of the dashboard.
func (w *watched) checkVariables(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"job": "aaasess", "instance": w.d.http.Addrs()[0].String(), "client": "loopback r0", "protocol": "radius tacacs",
		"server": "a0 r0 t", "group": "isp logins t", "method": "group isp group logins group t local",
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		series, label, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")"), ", ")
		if !ok {
			t.Errorf("%s is not label_values(SERIES, LABEL)", v.Definition)
			continue
		}
		var values []string
		if err := w.prometheus.API("label/"+label+"/values", url.Values{"match[]": {grafana.Replace(series)}}, &values); err != nil {
			t.Errorf("%s: %v", v.Definition, err)
		}
		if got := strings.Join(values, " "); got != want[v.Name] {
			t.Errorf("%s has %q, want %q", v.Name, got, want[v.Name])
		}
		delete(want, v.Name)
	}
	if len(want) > 0 {
		t.Errorf("variables that are missing: %v", want)
	}
}

// alert is an alert of Prometheus that is pending or fires.
type alert struct {
	Labels, Annotations map[string]string
	State               string
}

// alerts returns those of a name, or all.
func (w *watched) alerts(name string) (out []alert) {
	w.t.Helper()
	var data struct{ Alerts []alert }
	if err := w.prometheus.API("alerts", nil, &data); err != nil {
		w.t.Fatal(err)
	}
	for _, a := range data.Alerts {
		if name == "" || a.Labels["alertname"] == name {
			out = append(out, a)
		}
	}
	return out
}

// checkAlerts: Prometheus can evaluate all alerts. While all is well none is raised; those of a dead
// server and of a refused configuration are raised when it happens, and end when it is over.
func (w *watched) checkAlerts(t *testing.T) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Type, Health, LastError string }
		}
	}
	evaluated := func() bool {
		if err := w.prometheus.API("rules", nil, &data); err != nil {
			t.Fatal(err)
		}
		return len(data.Groups) == 1 && !slices.ContainsFunc(data.Groups[0].Rules, func(r struct{ Name, Type, Health, LastError string }) bool { return r.Health == "unknown" })
	}
	eventually(t, "the alerts are evaluated", evaluated, &data)
	var ours struct {
		Groups []struct{ Rules []struct{ Alert string } }
	}
	b, err := os.ReadFile(alertFile)
	if err == nil {
		err = yaml.Unmarshal(b, &ours)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(data.Groups[0].Rules) != len(ours.Groups[0].Rules) {
		t.Errorf("Prometheus has %d alerts, the file %d", len(data.Groups[0].Rules), len(ours.Groups[0].Rules))
	}
	for _, r := range data.Groups[0].Rules {
		if r.Health != "ok" || r.Type != "alerting" {
			t.Errorf("%s: %s, %s", r.Name, r.Health, r.LastError)
		}
	}
	if all := w.alerts(""); len(all) > 0 {
		t.Errorf("while all is well: %v", all)
	}

	w.accounting.setSilent(true)
	w.mustAccount(packet(acctStart, "late", "alice"))
	w.reload("state: elsewhere\n", "configuration not loaded")
	instance := w.d.http.Addrs()[0].String()
	for name, want := range map[string]struct{ state, label, value, summary string }{
		"AaasessServerDead":    {"pending", "server", "r0", "radius server r0 does not answer aaasess at " + instance},
		"AaasessReloadRefused": {"firing", "severity", "warning", "aaasess at " + instance + " has refused its configuration file"},
	} {
		var got []alert
		eventually(t, name, func() bool { got = w.alerts(name); return len(got) == 1 && got[0].State == want.state }, &got)
		if got[0].Labels[want.label] != want.value || got[0].Annotations["summary"] != want.summary {
			t.Errorf("%s: %v", name, got[0])
		}
	}
	w.accounting.setSilent(false)
	w.reload(w.config, "configuration loaded")
	eventually(t, "no alert is left", func() bool { return len(w.alerts("")) == 0 })
}
