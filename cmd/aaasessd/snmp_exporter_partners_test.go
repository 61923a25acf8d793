//go:build partners

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
)

// exporterFile has the modules that we ship for prometheus-snmp-exporter.
const exporterFile = "../../deploy/snmp-exporter.yml"

func exporterText(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(exporterFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// startExporter runs Debian's prometheus-snmp-exporter with a configuration, and returns its URL.
func startExporter(t *testing.T, text string) string {
	t.Helper()
	path, err := exec.LookPath("prometheus-snmp-exporter")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "snmp.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprint("127.0.0.1:", partner.FreeTCPPort(t))
	var log lines
	cmd := exec.Command(path, "--config.file="+file, "--web.listen-address="+addr)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // our signal has ended it
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(limit):
			_ = cmd.Process.Kill()
			t.Error("prometheus-snmp-exporter does not end")
		}
		if t.Failed() {
			t.Logf("prometheus-snmp-exporter said:\n%s", &log)
		}
	})
	eventually(t, "prometheus-snmp-exporter serves", func() bool {
		_, err := fetch(t, "http://"+addr+"/")
		return err == nil
	})
	return "http://" + addr
}

func fetch(t *testing.T, url string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, b)
	}
	return string(b), err
}

// scrape returns the metrics of a module whose names begin with a prefix, as "name{labels}" and value, and
// their types by name.
func scrape(t *testing.T, exporter, module, prefix, target string) (values, types map[string]string) {
	t.Helper()
	text, err := fetch(t, exporter+"/snmp?"+url.Values{"module": {module}, "target": {target}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	values, types = map[string]string{}, map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if words := strings.Fields(line); strings.HasPrefix(line, "# TYPE "+prefix) {
			types[words[2]] = words[3]
		}
		if name, value, ok := cutLast(line); ok && strings.HasPrefix(name, prefix) {
			values[name] = value
		}
	}
	return values, types
}

// cutLast cuts at the last space, because labels may have spaces.
func cutLast(line string) (before, after string, found bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return "", "", false
	}
	return line[:i], line[i+1:], true
}

// TestExporter scrapes the responder with the file that we ship, first by a community and then by a
// user. For the user it replaces values by those in comments.
func TestExporter(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(
		record("Start", "S1", "alice", "Framed-IP-Address = 10.1.1.2"),
		record("Start", "S2", `b "o" b`),
		record("Start", "S3", "zoë"),
	)
	if _, err := r.ask("snmpset", nocArgs(), casnDiscon+"2", "i", "1"); err != nil {
		t.Fatal(err)
	}
	session := func(name, id, user, addr string) string {
		return fmt.Sprintf("%s{casnIpAddr=%q,casnSessionId=%q,casnUserId=%s}", name, addr, id, user)
	}
	want := map[string]string{
		"casnActiveTableEntries": "3", "casnActiveTableHighWaterMark": "3", "casnTotalSessions": "3", "casnDisconnectedSessions": "1",
	}
	users := []string{`"alice"`, `"b \"o\" b"`, `"zo\\xc3\\xab"`} // the last is not ASCII
	for i, addr := range []string{"10.1.1.2", "0.0.0.0", "0.0.0.0"} {
		id := fmt.Sprint(i + 1)
		want[session("casnIdleTime", id, users[i], addr)] = "seconds"
		want[session("casnDisconnect", id, users[i], addr)] = map[bool]string{true: "1", false: "2"}[i == 1]
	}
	wantTypes := map[string]string{
		"casnActiveTableEntries": "gauge", "casnActiveTableHighWaterMark": "gauge", "casnIdleTime": "gauge", "casnDisconnect": "gauge",
		"casnTotalSessions": "counter", "casnDisconnectedSessions": "counter",
	}
	text := exporterText(t)
	user := strings.ReplaceAll(text, "  version: 2\n  auth:\n    community: public\n", "")
	user = regexp.MustCompile(`(?m)^  #(version|auth|  )`).ReplaceAllString(user, "  $1")
	user = strings.NewReplacer("change me 6", "password of noc", "change me 7", "privacy of noc").Replace(user)
	for name, text := range map[string]string{"a community": text, "a user": user} {
		t.Run(name, func(t *testing.T) {
			exporter := startExporter(t, text)
			values, types := scrape(t, exporter, "aaasess", "casn", r.addr)
			idle := regexp.MustCompile(`^[0-9]$`)
			for name, value := range values {
				if strings.HasPrefix(name, "casnIdleTime") && idle.MatchString(value) {
					values[name] = "seconds"
				}
			}
			if diff := cmp.Diff(want, values); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantTypes, types); diff != "" {
				t.Errorf("types (-want +got):\n%s", diff)
			}
			if _, err := fetch(t, exporter+"/snmp?module=aaasess&target="+strings.Replace(r.addr, "127.0.0.1", "127.0.0.2", 1)); err == nil {
				t.Error("an address without an agent has metrics")
			}
		})
	}
}

// TestExporterServers: the modules for servers show what the tables have.
func TestExporterServers(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(record("Start", "S1", "alice"), record("Stop", "S1", "alice"))
	exporter := startExporter(t, exporterText(t))
	_, port, _ := strings.Cut(r.servers[0].Addr, ":")
	server := `{casAddress="127.0.0.1",casIndex="1",casProtocol="2"}`
	var values, types map[string]string
	eventually(t, "the server has answered both records", func() bool {
		values, types = scrape(t, exporter, "aaasess_servers", "cas", r.addr)
		return values["casAcctTransactionSuccesses"+server] == "2"
	}, &values)
	for name, want := range map[string]string{"casAcctRequests": "2", "casAcctTransactionFailures": "0", "casState": "1", "casDeadCount": "0", "casTotalDeadTime": "0", "casAuthenRequests": "0"} {
		if got := values[name+server]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if len(types) != 21 || types["casAcctRequests"] != "counter" || types["casState"] != "gauge" {
		t.Errorf("types: %v", types)
	}
	values, types = scrape(t, exporter, "aaasess_radius_client", "radius", r.addr)
	server = `{radiusAccServerExtIndex="1",radiusAccServerInetAddress="0x7F000001"}`
	for name, want := range map[string]string{
		"radiusAccClientInvalidServerAddresses": "0", "radiusAccClientServerInetPortNumber" + server: port,
		"radiusAccClientExtRequests" + server: "2", "radiusAccClientExtResponses" + server: "2", "radiusAccClientExtTimeouts" + server: "0",
	} {
		if got := values[name]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if types["radiusAccClientExtRequests"] != "counter" || types["radiusAccClientExtPendingRequests"] != "gauge" {
		t.Errorf("types: %v", types)
	}
}

// TestExporterState: the module for the state of the daemon shows what the objects have.
func TestExporterState(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(record("Start", "S1", "alice"))
	exporter := startExporter(t, exporterText(t))
	var values, types map[string]string
	eventually(t, "the record is delivered", func() bool {
		values, types = scrape(t, exporter, "aaasess_state", "aaasess", r.addr)
		return values["aaasessSessions"] == "1" && values["aaasessSpoolRecords"] == "0"
	}, &values)
	for name, want := range map[string]string{
		"aaasessVerdict": "1", "aaasessReasons": "0", "aaasessDiskState": "1", "aaasessEventState": "1", "aaasessSpoolState": "1", "aaasessSpoolWarnAge": "3600",
		`aaasessMethodState{aaasessMethodName="group isp"}`: "1", `aaasessMethodProtocol{aaasessMethodName="group isp"}`: "2", `aaasessMethodServersUp{aaasessMethodName="group isp"}`: "1",
	} {
		if got := values[name]; got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	if len(types) != 26 || types["aaasessSpoolRecords"] != "gauge" {
		t.Errorf("%d types: %v", len(types), types)
	}
}

// TestExporterGenerated: the file equals what the exporter's own generator makes of our MIB modules.
func TestExporterGenerated(t *testing.T) {
	mibs, err := filepath.Abs("../../mibs")
	if err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("prometheus-snmp-generator")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const choice = `modules:
  aaasess:
    walk: [casnActiveTableEntries, casnActiveTableHighWaterMark, casnIdleTime, casnDisconnect, casnTotalSessions, casnDisconnectedSessions]
    lookups:
      - {source_indexes: [casnSessionId], lookup: casnUserId}
      - {source_indexes: [casnSessionId], lookup: casnIpAddr}
    max_repetitions: 50
    version: 2
    auth: {community: public}
  aaasess_servers:
    walk: [casStatisticsTable]
    lookups:
      - {source_indexes: [casProtocol, casIndex], lookup: casAddress}
    max_repetitions: 50
    version: 2
    auth: {community: public}
  aaasess_radius_client:
    walk: [radiusAccClientInvalidServerAddresses, radiusAccServerExtTable, radiusAuthClientInvalidServerAddresses, radiusAuthServerExtTable, radiusDynAuthClientDisconInvalidServerAddresses, radiusDynAuthClientCoAInvalidServerAddresses, radiusDynAuthServerTable]
    lookups:
      - {source_indexes: [radiusAccServerExtIndex], lookup: radiusAccServerInetAddress}
      - {source_indexes: [radiusAuthServerExtIndex], lookup: radiusAuthServerInetAddress}
      - {source_indexes: [radiusDynAuthServerIndex], lookup: radiusDynAuthServerAddress}
    overrides:
      radiusAccServerInetAddressType: {ignore: true}
      radiusAccServerInetAddress: {ignore: true, type: OctetString}
      radiusAuthServerInetAddressType: {ignore: true}
      radiusAuthServerInetAddress: {ignore: true, type: OctetString}
      radiusDynAuthServerAddressType: {ignore: true}
      radiusDynAuthServerAddress: {ignore: true, type: OctetString}
      radiusDynAuthServerID: {ignore: true}
    max_repetitions: 50
    version: 2
    auth: {community: public}
  aaasess_state:
    walk: [aaasessObjects]
    overrides:
      aaasessVersion: {ignore: true}
    max_repetitions: 50
    version: 2
    auth: {community: public}
`
	if err := os.WriteFile(filepath.Join(dir, "generator.yml"), []byte(choice), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "generate")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "MIBDIRS="+mibs)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	generated, err := os.ReadFile(filepath.Join(dir, "snmp.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	for text, to := range map[string]*map[string]any{string(generated): &want, exporterText(t): &got} {
		if err := yaml.Unmarshal([]byte(text), to); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-generated +shipped):\n%s", diff)
	}
}
