package stand

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each configuration has the lines that docs/benchmarks.md describes.
func TestFreeRADIUSConfigurations(t *testing.T) {
	const home, pool, reader, spool = "home_server upstream", "virtual_server = upstream", "type = detail", "Post-Proxy-Type Fail-Accounting"
	const proxy, detail = `&Proxy-To-Realm := "upstream"`, "accounting {\n\t\tdetail\n"
	for _, tt := range []struct {
		name          string
		kind          FreeRADIUSKind
		has, hasNot   []string
		proxies, load int
	}{
		{"detail", WritesDetail, []string{detail}, []string{home, reader, spool, proxy}, 0, 0},
		{"live", proxiesLive, []string{home}, []string{detail, reader, spool, pool}, 1, 0},
		{"robust", proxiesRobust, []string{home, pool, reader, spool, "load_factor = 10\n"}, []string{detail}, 2, 10},
		{"reader", readsDetail, []string{home, pool, reader, spool, detail, "load_factor = 100\n"}, nil, 1, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new")
			if err := writeFreeRADIUS(dir, tt.kind, 4711, 4712); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, "radiusd.conf"))
			if err != nil {
				t.Fatal(err)
			}
			conf := string(b)
			for _, want := range append(tt.has, "port = 4711\n", "secret = testing123\n", "max_servers = 8\n") {
				if !strings.Contains(conf, want) {
					t.Errorf("lacks %q", want)
				}
			}
			for _, not := range append(tt.hasNot, "%!", "%[") {
				if strings.Contains(conf, not) {
					t.Errorf("has %q", not)
				}
			}
			if got := strings.Count(conf, proxy); got != tt.proxies || strings.Contains(conf, "port = 4712") != (tt.proxies > 0) {
				t.Errorf("%d sections proxy, want %d", got, tt.proxies)
			}
			if strings.Count(conf, "{") != strings.Count(conf, "}") {
				t.Error("unbalanced braces")
			}
		})
	}
}

func TestDaemonConfig(t *testing.T) {
	const snmp, records, second = "agentx:", "record: start-stop, methods: [group isp]", "second"
	for _, tt := range []struct {
		name        string
		d           Daemon
		has, hasNot []string
	}{
		{"with a server", Daemon{Dir: "/d", Port: 4711, Upstream: 4712}, []string{records, "port: 4712,"}, []string{snmp, "record: none", second}},
		{
			"with two",
			Daemon{Dir: "/d", Port: 4711, Upstream: 4712, Second: 4713},
			[]string{"record: start-stop, broadcast: true, methods: [group isp, group second]", "port: 4712,", "port: 4713,", "{name: second, servers: [second]}"},
			[]string{snmp, "record: none"},
		},
		{"without", Daemon{Dir: "/d", Port: 4711}, []string{"record: none"}, []string{snmp, records}},
		{"with SNMP", Daemon{Dir: "/d", Port: 4711, AgentX: "/d/agentx"}, []string{`address: "/d/agentx"`}, nil},
	} {
		conf := tt.d.config()
		for _, want := range append(tt.has, `listen: ["127.0.0.1:4711"]`, "state: /d/state\n") {
			if !strings.Contains(conf, want) {
				t.Errorf("%s: lacks %q:\n%s", tt.name, want, conf)
			}
		}
		for _, not := range append(tt.hasNot, "%!") {
			if strings.Contains(conf, not) {
				t.Errorf("%s: has %q:\n%s", tt.name, not, conf)
			}
		}
	}
}

func TestLoadRate(t *testing.T) {
	if got := (LoadResult{Answered: 500, Took: 250 * time.Millisecond}).Rate(); got != 2000 {
		t.Errorf("rate %v, want 2000", got)
	}
}
