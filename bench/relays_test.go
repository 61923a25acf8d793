package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What makes a configuration the one that the text speaks of.
func TestFreeRADIUSConfigurations(t *testing.T) {
	const home, pool, reader, spool = "home_server upstream", "virtual_server = upstream", "type = detail", "Post-Proxy-Type Fail-Accounting"
	const proxy, detail = `&Proxy-To-Realm := "upstream"`, "accounting {\n\t\tdetail\n"
	for _, tt := range []struct {
		name          string
		kind          freeRADIUSKind
		has, hasNot   []string
		proxies, load int
	}{
		{"detail", writesDetail, []string{detail}, []string{home, reader, spool, proxy}, 0, 0},
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
				t.Error("braces are not in pairs")
			}
		})
	}
}

func TestDaemonConfig(t *testing.T) {
	const snmp, records = "agentx:", "record: start-stop, methods: [group isp]"
	for _, tt := range []struct {
		name        string
		d           daemon
		has, hasNot []string
	}{
		{"with a server", daemon{dir: "/d", port: 4711, upstream: 4712}, []string{records, "port: 4712,"}, []string{snmp, "record: none"}},
		{"without", daemon{dir: "/d", port: 4711}, []string{"record: none"}, []string{snmp, records}},
		{"with SNMP", daemon{dir: "/d", port: 4711, agentx: "/d/agentx"}, []string{`address: "/d/agentx"`}, nil},
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

// The requests file holds what each part takes of it.
func TestFileSize(t *testing.T) {
	base := accountingSizes{requests: 10, half: time.Second, backlog: 20, reader: 5, outage: outage{rate: 1, length: time.Second}}
	for _, tt := range []struct {
		name   string
		change func(*accountingSizes)
		want   int
	}{
		{"the open loop", func(*accountingSizes) {}, 10 + mostHalfLoad},
		{"the backlog", func(s *accountingSizes) { s.backlog = 1_000_000 }, 1_000_000},
		{"the backlog of the reader", func(s *accountingSizes) { s.reader = 2_000_000 }, 2_000_000},
		{"the outage", func(s *accountingSizes) { s.outage.rate = 100_000 }, 100_000},
	} {
		s := base
		tt.change(&s)
		if got := s.fileSize(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	o := outage{rate: 200, before: 3 * time.Second, length: 20 * time.Second, after: 1500 * time.Millisecond}
	if got := o.total(); got != 4900 {
		t.Errorf("an outage takes %d requests, want 4,900", got)
	}
}

func TestLoadRate(t *testing.T) {
	if got := (loadResult{Answered: 500, Took: 250 * time.Millisecond}).rate(); got != 2000 {
		t.Errorf("rate %v, want 2000", got)
	}
}

func TestVersionIn(t *testing.T) {
	const freeradius = "radiusd: FreeRADIUS Version 3.2.1, for host x86_64, built on Aug 18\nFreeRADIUS Version 3.2.1\n"
	for _, tt := range []struct{ said, word, want string }{
		{freeradius, "FreeRADIUS Version", "FreeRADIUS Version 3.2.1"},
		{"radsecproxy revision 1.9.2\nThis binary", "radsecproxy revision", "radsecproxy revision 1.9.2"},
		{"usage: peer", "peer version", "peer"},
		{"", "peer version", "peer"},
	} {
		if got := versionIn(tt.said, "peer", tt.word); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.said, got, tt.want)
		}
	}
}
