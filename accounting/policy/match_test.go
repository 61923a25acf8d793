package policy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aaasess/accounting"
	"aaasess/sessions"
)

func TestMatchesPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"Async5", "Async5", true},
		{"Async5", "Async55", false},
		{"async5", "Async5", false},
		{"Async*", "Async", true},
		{"*/0.*", "Gi0/0/0.100", true},
		{"*.100", "Gi0/0/0.1000", false},
		{"?", "", false},
		{"", "", true},
		{"*", "", true},
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 200), false},
	} {
		if got := matchesPattern(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q, %q: %t", tt.pattern, tt.text, got)
		}
	}
}

// A pattern matches what the regular expression of the same meaning does.
func TestMatchesPatternIsRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?.]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab*?.]{0,10}`).Draw(t, "text")
		expression := "^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern)) + "$"
		if got, want := matchesPattern(pattern, text), regexp.MustCompile(expression).MatchString(text); got != want {
			t.Fatalf("%q, %q: %t", pattern, text, got)
		}
	})
}

// The text of a rule fits into a route, whatever the rule names.
func TestLongReason(t *testing.T) {
	r := Rule{Type: network, List: "red1", Protocols: []uint32{ppp, 77}}
	for range 100 {
		r.Ports = append(r.Ports, PortRange{7, 7}, PortRange{100, 200})
	}
	plan := newPlan(t, Policy{Lists: []List{{network, "red1", startStop("a")}}, Rules: []Rule{r}})
	route, err := accounting.ParseRoute(plan.Route(sessions.Network, call{port: 7, protocol: 77}.session()))
	if err != nil {
		t.Fatal(err)
	}
	if got := route.Reason; len(got) > 255 || !strings.HasPrefix(got, "NAS-Port 7 or 100-200 or 7 or") || !strings.HasSuffix(got, "...") {
		t.Errorf("%d octets: %s", len(got), got)
	}
	if got := (&Rule{Protocols: []uint32{ppp, 77}}).String(); got != "Framed-Protocol PPP or 77" {
		t.Error(got)
	}
}
