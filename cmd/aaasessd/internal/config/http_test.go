package config_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/web"
)

func TestHTTP(t *testing.T) {
	for _, tt := range []struct {
		name, keys string
		want       *web.Config
		warnings   []string // without the file
	}{
		{"all defaults", "{}", &web.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9161")}}, nil},
		{
			"all keys", `{listen: ["0.0.0.0:80", "[::]:80"], web-config: web.yml, hosts: [AAA.example, 192.0.2.1, "2001:DB8::1"], pprof: true}`,
			&web.Config{
				Listen: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:80"), netip.MustParseAddrPort("[::]:80")}, WebConfig: "/etc/aaasess/web.yml",
				Settings: web.Settings{Hosts: []string{"aaa.example", "192.0.2.1", "2001:db8::1"}, Pprof: true},
			},
			nil,
		},
		{
			"for all, without authentication", `{listen: ["127.0.0.1:80", "192.0.2.1:80"]}`,
			&web.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:80"), netip.MustParseAddrPort("192.0.2.1:80")}},
			[]string{"aaasess.yaml:1:33: http.listen[1]: everybody who can connect to 192.0.2.1:80 can read the metrics: without http.web-config there is neither TLS nor authentication"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.Parse("aaasess.yaml", []byte("http: "+tt.keys+"\n"), "/etc/aaasess")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.HTTP, plain); diff != "" {
				t.Error(diff)
			}
			var warnings []string
			for _, w := range c.Warnings() {
				warnings = append(warnings, w.Error())
			}
			if diff := cmp.Diff(tt.warnings, warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStatusPage: whether there is a status page, and what it may do.
func TestStatusPage(t *testing.T) {
	yes, no := true, false
	const seen = "can see the names of users: without http.web-config there is no authentication"
	for _, tt := range []struct {
		name, keys string
		want       config.StatusPage
		warning    string // a part of one; "": none
	}{
		{"by default", "{}", config.StatusPage{}, ""},
		{"wanted", "{status-page: true}", config.StatusPage{Wanted: &yes}, ""},
		{"wanted for all", `{status-page: true, listen: ["192.0.2.1:80"]}`, config.StatusPage{Wanted: &yes}, "http.status-page: everybody who can connect to 192.0.2.1:80 " + seen},
		{"not wanted", `{status-page: false, listen: ["192.0.2.1:80"]}`, config.StatusPage{Wanted: &no}, ""},
		{"disconnects", "{disconnect: true, web-config: web.yml}", config.StatusPage{Disconnect: true}, ""},
		{"disconnects without a page", "{disconnect: true, web-config: web.yml, status-page: false}", config.StatusPage{Wanted: &no, Disconnect: true}, "http.disconnect: has no effect without the status page"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.Parse("aaasess.yaml", []byte("http: "+tt.keys+"\n"), ".")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.StatusPage); diff != "" {
				t.Error(diff)
			}
			var warnings []string
			for _, w := range c.Warnings() {
				if !strings.Contains(w.Error(), "http.listen") {
					warnings = append(warnings, w.Error())
				}
			}
			if (len(warnings) > 0) != (tt.warning != "") || !strings.Contains(strings.Join(warnings, "\n"), tt.warning) {
				t.Errorf("%q, want %q", warnings, tt.warning)
			}
		})
	}
}

func TestHTTPRejected(t *testing.T) {
	for _, tt := range []struct{ name, keys, want string }{
		{"no address", `{listen: []}`, "http.listen: "},
		{"an address without a port", `{listen: ["127.0.0.1"]}`, "http.listen[0]: "},
		{"a name", `{listen: ["localhost:9161"]}`, "http.listen[0]: "},
		{"an address twice", `{listen: ["127.0.0.1:9161", "127.0.0.1:9161"]}`, "http.listen[1]: "},
		{"a host with a port", `{hosts: ["aaa.example:9161"]}`, `http.hosts[0]: "aaa.example:9161" is neither an IP address nor a host name`},
		{"a host twice", `{hosts: [aaa.example, AAA.example]}`, "http.hosts[1]: "},
		{"any host", `{hosts: ["*"]}`, "http.hosts[0]: "},
		{"no file", `{web-config: ""}`, "http.web-config: is empty"},
		{"disconnects by nobody", `{disconnect: true}`, "http.disconnect: needs http.web-config: without it nobody is authenticated"},
		{"off", `off`, "http: must be a mapping of keys, is text; to switch this off, leave the key out"},
		{"false", `false`, "http: must be a mapping of keys, is a boolean; to switch this off, leave the key out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Parse("aaasess.yaml", []byte("http: "+tt.keys+"\n"), ".")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestDefaultWithoutHTTP: the built-in configuration as a file, without its line for HTTP as
// docs/metrics.md removes it, has no listener, and is otherwise the same.
func TestDefaultWithoutHTTP(t *testing.T) {
	var kept []string
	for line := range strings.Lines(string(config.DefaultText())) {
		if !strings.HasPrefix(line, "http:") {
			kept = append(kept, line)
		}
	}
	c, err := config.Parse("aaasess.yaml", []byte(strings.Join(kept, "")), ".")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	if c.HTTP != nil || want.HTTP == nil {
		t.Errorf("without the line: %+v; with it: %+v", c.HTTP, want.HTTP)
	}
	if c.State != want.State || c.Control.Socket != want.Control.Socket || len(c.Groups) != len(want.Groups) {
		t.Error("other parts differ")
	}
}
