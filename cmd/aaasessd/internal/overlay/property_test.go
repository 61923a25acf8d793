package overlay

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	acctradius "aaasess/accounting/radius"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
)

// files are variants of a file.
func files(t *testing.T) (all []*config.Config) {
	replace := func(oldNew ...string) {
		all = append(all, parseFile(t, strings.NewReplacer(oldNew...).Replace(overlaid)))
	}
	replace()
	replace("  secret: of all\n", "")
	replace("methods: [group radius, group isp]", "methods: [group isp]", "group isp, group radius", "local", "[group tacacs+]", "[local]")
	replace("servers: [r2, mine]", "servers: [r1, r3, mine]", "r3.example", "10.0.1.1", "key: k1", "key: k1, port: 4949")
	replace("name: r3", "name: snmp-radius-1", "name: t1", "name: snmp-tacacs-2")
	return all
}

// overlays draws an overlay of few values, so that many of them collide.
func overlays(t *rapid.T) (o servers.Overlay) {
	protocols := rapid.SampledFrom([]servers.Protocol{servers.RADIUS, servers.TACACS})
	for range rapid.SampledFrom([]int{0, 1, 2, 5, 80}).Draw(t, "created") {
		o.Created = append(o.Created, servers.Created{
			Protocol: protocols.Draw(t, "protocol"), Index: rapid.Uint32Range(0, 100).Draw(t, "index"),
			Addr:     addr(rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.4", "10.0.9.2", "10.0.1.1", "10.0.1.2", "2001:db8::1", "::ffff:10.0.0.2", "0.0.0.0"}).Draw(t, "addr")),
			AuthPort: rapid.SampledFrom([]uint16{0, 49, 1645, 1646}).Draw(t, "auth"), AcctPort: rapid.SampledFrom([]uint16{0, 1646}).Draw(t, "acct"),
			Key: rapid.SampledFrom([]string{"", "key"}).Draw(t, "key"),
		})
	}
	if len(o.Created) == 80 { // more than a group may have
		next := addr("10.1.0.0")
		for i := range o.Created {
			next = next.Next()
			o.Created[i] = create(servers.RADIUS, uint32(i+1), next.String(), "key")
		}
	}
	for range rapid.IntRange(0, 5).Draw(t, "destroyed") {
		o.Destroyed = append(o.Destroyed, servers.Key{Protocol: protocols.Draw(t, "protocol"), Name: rapid.SampledFrom([]string{"r1", "r2", "r3", "mine", "t1", "none"}).Draw(t, "name")})
	}
	return o
}

// TestMergeProperties: every overlay gives a configuration that can be used, or is given up in part.
// Named groups never change, and what is in use fits the file.
func TestMergeProperties(t *testing.T) {
	all := files(t)
	toRADIUS, toTACACS := client.New(client.Config{}), tacclient.New(tacclient.Config{})
	rapid.Check(t, func(t *rapid.T) {
		file, o := all[rapid.IntRange(0, len(all)-1).Draw(t, "file")], overlays(t)
		merged, applied, givenUp := Merge(file, o)
		if n := len(applied.Created) + len(applied.Destroyed) + len(givenUp); n != len(o.Created)+len(o.Destroyed) {
			t.Fatalf("%d entries are in use or given up", n)
		}
		again, same, none := Merge(file, applied)
		if len(none) > 0 || !slices.Equal(same.Created, applied.Created) || !slices.Equal(same.Destroyed, applied.Destroyed) || !reflect.DeepEqual(again, merged) {
			t.Fatalf("what is in use does not fit the file: %q", texts(none))
		}
		checkNamed(t, file, merged)
		checkUsable(t, merged, toRADIUS, toTACACS)
		if want := len(file.Servers) + len(applied.Created) - len(applied.Destroyed); len(merged.Servers) != want {
			t.Fatalf("%d servers, want %d", len(merged.Servers), want)
		}
		for _, p := range []servers.Protocol{servers.RADIUS, servers.TACACS} {
			public := 0
			for _, s := range merged.Servers {
				if s.Protocol == p && !s.Private {
					public++
				}
			}
			if public > servers.MaxServers {
				t.Fatalf("%d servers of %v", public, p)
			}
		}
	})
}

// checkNamed checks that nothing but the groups of all servers differs.
func checkNamed(t *rapid.T, file, merged *config.Config) {
	t.Helper()
	named := func(c *config.Config) (groups []any) {
		for _, g := range c.Groups {
			if g.Group != config.AllRADIUS {
				groups = append(groups, g)
			}
		}
		for _, g := range c.TACACSGroups {
			if g.Group != config.AllTACACS {
				groups = append(groups, g)
			}
		}
		for _, g := range c.Authentication.Groups {
			if g.Name != config.AllRADIUS {
				groups = append(groups, g)
			}
		}
		return groups
	}
	if !reflect.DeepEqual(named(file), named(merged)) {
		t.Fatal("a named group has changed")
	}
	a, b := *file, *merged
	for _, c := range []*config.Config{&a, &b} {
		c.Groups, c.TACACSGroups, c.Servers, c.Authentication, c.DynAuth = nil, nil, nil, nil, nil
	}
	if !reflect.DeepEqual(a, b) {
		t.Fatal("something else has changed")
	}
}

// checkUsable checks that all groups can be opened.
func checkUsable(t *rapid.T, c *config.Config, toRADIUS *client.Client, toTACACS *tacclient.Client) {
	t.Helper()
	configs := slices.Clone(c.Authentication.Groups)
	for _, g := range c.Groups {
		configs = append(configs, accountingGroup(&g))
	}
	for _, cfg := range configs {
		g, err := toRADIUS.NewGroup(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_ = g.Close() // never fails
	}
	for _, g := range c.TACACSGroups {
		g, err := toTACACS.NewGroup(devicesGroup(&g))
		if err != nil {
			t.Fatal(err)
		}
		_ = g.Close() // never fails
	}
}

func accountingGroup(g *acctradius.Spec) client.GroupConfig {
	return client.GroupConfig{Name: g.Group, Purpose: client.Accounting, Members: g.Servers, MaxInFlight: g.Window}
}

func devicesGroup(g *accttacacs.Spec) tacclient.GroupConfig {
	return tacclient.GroupConfig{Name: g.Group, Members: g.Servers}
}
