package control

import (
	"log/slog"
	"net/url"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/logtap"
)

// TestMatchLine: which lines of the log a filter selects.
func TestMatchLine(t *testing.T) {
	line := func(message string, args ...any) *logtap.Line {
		l := &logtap.Line{Message: message}
		for i := 0; i < len(args); i += 2 {
			l.Attrs = append(l.Attrs, slog.Any(args[i].(string), args[i+1]))
		}
		return l
	}
	nas := line("accounting request", "client", "lab", "from", "192.0.2.1:40000", "nas_session", "5F2A", "user", "alice")
	sent := line("RADIUS request sent", "server", "one", "address", "[2001:db8::9]:1813", "session", "0000000D")
	set := line("disconnect by SNMP", "by", "noc", "from", "::ffff:192.0.2.1")
	for _, tt := range []struct {
		query string
		want  []*logtap.Line
	}{
		{"topic=radius", []*logtap.Line{nas, sent}},
		{"topic=tacacs", nil},
		{"topic=snmp", []*logtap.Line{set}},
		{"topic=radius&client=lab", []*logtap.Line{nas}},
		{"topic=radius&client=lab&user=bob", nil},
		{"topic=radius&client=la", nil},
		{"topic=radius&session=5F2A", []*logtap.Line{nas}},
		{"topic=radius&session=0000000D", []*logtap.Line{sent}},
		{"topic=radius&from=192.0.2.0/28", []*logtap.Line{nas}},
		{"topic=radius&from=2001:db8::9", []*logtap.Line{sent}},
		{"topic=radius&from=2001:db8::8", nil},
		{"topic=snmp&user=noc&from=192.0.2.1", []*logtap.Line{set}},
	} {
		values, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		f, err := api.ParseDebugFilter(values)
		if err != nil {
			t.Fatal(err)
		}
		var got []*logtap.Line
		for _, l := range []*logtap.Line{nas, sent, set, line("store engine", "from", "192.0.2.1:1")} {
			if isTopic[f.Topic](l.Message) && matchLine(&f, l) {
				got = append(got, l)
			}
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: %d lines, want %d", tt.query, len(got), len(tt.want))
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s: %s", tt.query, got[i].Message)
			}
		}
	}
}
