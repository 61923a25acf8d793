package config_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A private server is in its group and not in group radius (server-private of Cisco IOS). Several
// groups may have private servers of one address.
func TestPrivateServers(t *testing.T) {
	c := mustParse(t, `
radius:
  timeout: 2s
  servers:
    - {name: p1, address: 10.0.0.1, secret: one, private: true}
    - {name: r1, address: 10.0.0.1, secret: two}
    - {name: p2, address: 10.0.0.1, secret: three, private: true, retransmit: 1}
    - {name: r2, address: 10.0.0.2, secret: four, private: false}
  groups:
    - {name: a, servers: [p1, r2]}
    - {name: b, servers: [r2, p2]}
accounting: {exec: {default: {record: stop-only, methods: [group a, group b, group radius]}}}
`, ".")
	type member struct {
		Name, Secret string
		Retransmit   int
	}
	got := map[string][]member{}
	for _, g := range c.Groups {
		for _, s := range g.Servers {
			got[g.Group] = append(got[g.Group], member{s.Name, string(s.Secret), s.Schedule.Retransmit})
		}
	}
	want := map[string][]member{
		"a": {{"p1", "one", 3}, {"r2", "four", 3}}, "b": {{"r2", "four", 3}, {"p2", "three", 1}}, "radius": {{"r1", "two", 3}, {"r2", "four", 3}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if len(c.Warnings()) != 0 {
		t.Errorf("warnings: %v", c.Warnings())
	}
}

// Nothing is sent to a private server that no group names, which is no fault but a warning.
func TestPrivateServerWithoutGroup(t *testing.T) {
	c := mustParse(t, private("a: [r1, p1], b: [p2]"), ".")
	var got []string
	for _, w := range c.Warnings() {
		got = append(got, w.Error())
	}
	want := []string{"aaasess.yaml:5:55: radius.servers[3].private: nothing is sent to server p3: it is private, and no group names it"}
	if !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}
