package vacm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aaasess/agent/snmp/wire"
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func TestCommunity(t *testing.T) {
	longest := strings.Repeat("c", maxCommunity)
	p := policy(t, nil, nil, nil,
		Community{Name: "open", SecurityName: "anybody"},
		Community{Name: "public", SecurityName: "office", From: prefixes("192.0.2.0/24", "2001:db8::/32")},
		Community{Name: "public", SecurityName: "helpdesk", From: prefixes("192.0.2.7/32", "2001:db8:1::/48")},
		Community{Name: "public", SecurityName: "world", From: prefixes("0.0.0.0/0")},
		Community{Name: "mapped", SecurityName: "v4", From: prefixes("::ffff:198.51.100.0/120")},
		Community{Name: "sloppy", SecurityName: "net", From: prefixes("10.1.2.3/8")},
		Community{Name: "link", SecurityName: "near", From: prefixes("fe80::/10")},
		Community{Name: "v6", SecurityName: "six", From: prefixes("::/0")},
		Community{Name: "\x00\xff", SecurityName: "octets"},
		Community{Name: longest, SecurityName: "long"},
	)
	tests := []struct {
		name            string
		community, from string
		want            string
		known, allowed  bool
	}{
		{"from anywhere, v4", "open", "203.0.113.9", "anybody", true, true},
		{"from anywhere, v6", "open", "2001:db8:ffff::1", "anybody", true, true},
		{"from anywhere, v4 mapped", "open", "::ffff:203.0.113.9", "anybody", true, true},
		{"a prefix", "public", "192.0.2.8", "office", true, true},
		{"a longer prefix", "public", "192.0.2.7", "helpdesk", true, true},
		{"a shorter prefix", "public", "192.0.3.7", "world", true, true},
		{"a prefix, v6", "public", "2001:db8:2::7", "office", true, true},
		{"a longer prefix, v6", "public", "2001:db8:1::7", "helpdesk", true, true},
		{"no prefix, v6", "public", "2001:db9::7", "", true, false},
		{"IPv4-mapped source", "public", "::ffff:192.0.2.7", "helpdesk", true, true},
		{"IPv4-mapped prefix", "mapped", "198.51.100.200", "v4", true, true},
		{"outside of the IPv4-mapped prefix", "mapped", "198.51.101.200", "", true, false},
		{"a prefix with bits of a host", "sloppy", "10.9.9.9", "net", true, true},
		{"a zone", "link", "fe80::1%eth0", "near", true, true},
		{"all of v6 is not v4", "v6", "192.0.2.1", "", true, false},
		{"all of v6", "v6", "2001:db8::1", "six", true, true},
		{"octets that are no text", "\x00\xff", "192.0.2.1", "octets", true, true},
		{"the longest", longest, "192.0.2.1", "long", true, true},
		{"longer than that", longest + "c", "192.0.2.1", "", false, false},
		{"much longer", strings.Repeat("c", 60000), "192.0.2.1", "", false, false},
		{"unknown", "secret", "192.0.2.1", "", false, false},
		{"empty", "", "192.0.2.1", "", false, false},
		{"the beginning of one", "publi", "192.0.2.7", "", false, false},
		{"one with more behind", "public\x00", "192.0.2.7", "", false, false},
		{"another case", "Public", "192.0.2.7", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, known, allowed := p.Community(wire.ModelV2c, []byte(tt.community), netip.MustParseAddr(tt.from))
			if name != tt.want || known != tt.known || allowed != tt.allowed {
				t.Errorf("%q, known %v, allowed %v", name, known, allowed)
			}
		})
	}
	t.Run("no address", func(t *testing.T) {
		if name, known, allowed := p.Community(wire.ModelV2c, []byte("open"), netip.Addr{}); name != "" || !known || allowed {
			t.Errorf("%q, known %v, allowed %v", name, known, allowed)
		}
	})
	t.Run("no communities", func(t *testing.T) {
		if _, known, allowed := policy(t, nil, nil, nil).Community(wire.ModelV2c, []byte("public"), netip.MustParseAddr("127.0.0.1")); known || allowed {
			t.Errorf("known %v, allowed %v", known, allowed)
		}
	})
}

// TestHasSource: an address is a source if a prefix of some community contains it.
func TestHasSource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := rapid.Custom(func(t *rapid.T) netip.Addr { // few addresses, so that prefixes nest
			low := rapid.Uint8().Draw(t, "low")
			switch rapid.IntRange(0, 2).Draw(t, "family") {
			case 0:
				return netip.AddrFrom4([4]byte{10, 0, 0, low})
			case 1:
				return netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: 10, 15: low})
			}
			return netip.AddrFrom16([16]byte{0: 0x20, 15: low})
		})
		var list []Community
		var all []netip.Prefix
		for i := range rapid.IntRange(0, 6).Draw(t, "communities") {
			var from []netip.Prefix
			for range rapid.IntRange(1, 4).Draw(t, "prefixes") {
				a := addr.Draw(t, "prefix")
				from = append(from, netip.PrefixFrom(a, a.BitLen()-rapid.IntRange(0, 9).Draw(t, "host bits")))
			}
			list, all = append(list, Community{Name: fmt.Sprint(i), SecurityName: "s", From: from}), append(all, from...)
		}
		p, err := New(nil, nil, nil, list)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			a := addr.Draw(t, "address")
			want := slices.ContainsFunc(all, func(f netip.Prefix) bool { return unmapped(f).Contains(a.Unmap()) })
			if got := p.HasSource(a); got != want {
				t.Fatalf("%v in %v: %v", a, all, got)
			}
		}
	})
	everywhere := policy(t, nil, nil, nil, Community{Name: "open", SecurityName: "s"})
	for _, a := range []string{"0.0.0.0", "192.0.2.1", "::", "fe80::1%eth0", "255.255.255.255"} {
		if !everywhere.HasSource(netip.MustParseAddr(a)) {
			t.Errorf("%s is no source of a community from anywhere", a)
		}
	}
	if everywhere.HasSource(netip.Addr{}) {
		t.Error("no address is a source")
	}
}

var bothModels = []wire.SecurityModel{wire.ModelV1, wire.ModelV2c}

// TestCommunityModels: a community is accepted only with its security models, and the longest prefix
// decides about them too.
func TestCommunityModels(t *testing.T) {
	v1 := []wire.SecurityModel{wire.ModelV1}
	p := policy(t, nil, nil, nil,
		Community{Name: "default", SecurityName: "d"},
		Community{Name: "old", SecurityName: "o", Models: v1},
		Community{Name: "both", SecurityName: "b", Models: bothModels},
		Community{Name: "mixed", SecurityName: "wide", Models: bothModels, From: prefixes("10.0.0.0/8")},
		Community{Name: "mixed", SecurityName: "near", From: prefixes("10.1.0.0/16")},
		Community{Name: "mixed", SecurityName: "host", Models: v1, From: prefixes("10.1.1.1/32")},
	)
	tests := []struct {
		community, from string
		v1, v2c         string // the security names; "" means not allowed
	}{
		{"default", "192.0.2.1", "", "d"},
		{"old", "192.0.2.1", "o", ""},
		{"both", "192.0.2.1", "b", "b"},
		{"mixed", "10.9.9.9", "wide", "wide"},
		{"mixed", "10.1.9.9", "", "near"},
		{"mixed", "10.1.1.1", "host", ""},
		{"mixed", "192.0.2.1", "", ""},
	}
	for _, tt := range tests {
		for model, want := range map[wire.SecurityModel]string{wire.ModelV1: tt.v1, wire.ModelV2c: tt.v2c, wire.ModelUSM: "", AnyModel: ""} {
			name, known, allowed := p.Community(model, []byte(tt.community), netip.MustParseAddr(tt.from))
			if name != want || !known || allowed != (want != "") {
				t.Errorf("%s from %s, model %v: %q, known %v, allowed %v, want %q", tt.community, tt.from, model, name, known, allowed, want)
			}
		}
	}
	if !p.HasV1() {
		t.Error("no community with v1")
	}
	if policy(t, nil, nil, nil, Community{Name: "default", SecurityName: "d"}, Community{Name: "new", SecurityName: "n", Models: bothModels[1:]}).HasV1() {
		t.Error("a community with v1")
	}
}

func TestInvalidCommunities(t *testing.T) {
	const secret = "hush-hush"
	tests := []struct {
		name string
		list []Community
		want string // "": no error
	}{
		{"no name", []Community{{SecurityName: "r"}}, "name has 0 octets"},
		{"too long a name", []Community{{Name: strings.Repeat(secret, 30), SecurityName: "r"}}, "name has 270 octets"},
		{"no security name", []Community{{Name: secret}}, "security name: name has 0 octets"},
		{"too long a security name", []Community{{Name: secret, SecurityName: strings.Repeat("r", 33)}}, "security name: name has 33 octets"},
		{"no prefix", []Community{{Name: secret, SecurityName: "r", From: []netip.Prefix{{}}}}, "source 1 is not a prefix"},
		{
			"two users from one source",
			[]Community{{Name: secret, SecurityName: "r", From: prefixes("10.0.0.0/8")}, {Name: secret, SecurityName: "w", From: prefixes("10.1.1.1/8")}},
			`community 2, of "w": the same community from 10.0.0.0/8 already has the security name "r"`,
		},
		{"two users from anywhere", []Community{{Name: secret, SecurityName: "r"}, {Name: secret, SecurityName: "w"}}, "already"},
		{
			"two versions from one source",
			[]Community{{Name: secret, SecurityName: "r"}, {Name: secret, SecurityName: "r", Models: bothModels}},
			`community 2, of "r": the same community from 0.0.0.0/0 already has other security models`,
		},
		{"a model without communities", []Community{{Name: secret, SecurityName: "r", Models: []wire.SecurityModel{wire.ModelUSM}}}, "security model usm has no communities"},
		{"one user twice, the default model", []Community{{Name: secret, SecurityName: "r"}, {Name: secret, SecurityName: "r", Models: []wire.SecurityModel{wire.ModelV2c}}}, ""},
		{"one user twice", []Community{{Name: secret, SecurityName: "r"}, {Name: secret, SecurityName: "r", From: prefixes("0.0.0.0/0")}}, ""},
		{"two names from one source", []Community{{Name: secret, SecurityName: "r"}, {Name: secret + "2", SecurityName: "w"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(nil, nil, nil, tt.list)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "":
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("error %v, want one with %q", err, tt.want)
			case strings.Contains(err.Error(), secret):
				t.Errorf("the error contains the community: %v", err)
			}
		})
	}
}

// TestCommunitiesAreHidden: neither the configured nor the stored communities reveal names, however
// they are printed.
func TestCommunitiesAreHidden(t *testing.T) {
	const secret = "hush-hush"
	c := Community{Name: secret, SecurityName: "reader", From: prefixes("192.0.2.0/24")}
	p := policy(t, nil, nil, nil, c)
	key := p.communities.key[:]
	digest := p.communities.digest([]byte(secret))

	var texts []string
	for _, v := range []any{c, &c, []Community{c}, map[string]Community{"k": c}, struct{ C Community }{c}, p, *p, struct{ P *Policy }{p}, p.Communities()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
		for _, handler := range []func(w *bytes.Buffer) slog.Handler{
			func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) },
			func(w *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			var w bytes.Buffer
			slog.New(handler(&w)).Info("seen", "value", v)
			texts = append(texts, w.String())
		}
	}
	for _, text := range texts {
		for _, leak := range []string{
			secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret),
			fmt.Sprintf("%x", key), strings.Trim(fmt.Sprint(key), "[]"), strings.Trim(fmt.Sprint(digest), "[]"), fmt.Sprintf("%x", digest),
		} {
			if strings.Contains(text, leak) {
				t.Errorf("%s contains %s", text, leak)
			}
		}
	}
	if got, want := fmt.Sprint(c), "community <secret> of reader from [192.0.2.0/24]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := fmt.Sprint(p), "policy of 0 views, 0 access entries, 0 members, 1 communities"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCommunitiesWithoutNames(t *testing.T) {
	list := []Community{{Name: "b", SecurityName: "w", From: prefixes("::1/128"), Models: slices.Clone(bothModels)}, {Name: "a", SecurityName: "r"}}
	p := policy(t, nil, nil, nil, list...)
	list[0].From[0], list[0].Models[0] = netip.Prefix{}, wire.ModelUSM
	want := []Community{{SecurityName: "w", From: prefixes("::1/128"), Models: bothModels}, {SecurityName: "r"}}
	if diff := cmp.Diff(want, p.Communities(), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

// TestEachPolicyHasItsKey: digests of one policy say nothing about those of another.
func TestEachPolicyHasItsKey(t *testing.T) {
	c := Community{Name: "public", SecurityName: "r"}
	a, b := policy(t, nil, nil, nil, c), policy(t, nil, nil, nil, c)
	if a.communities.digest([]byte("public")) == b.communities.digest([]byte("public")) {
		t.Error("two policies have one digest")
	}
}

func TestCommunityDoesNotAllocate(t *testing.T) {
	p := policy(t, nil, nil, nil, Community{Name: "public", SecurityName: "r", From: prefixes("192.0.2.0/24")})
	from := netip.MustParseAddr("::ffff:192.0.2.1")
	for _, name := range []string{"public", "private", strings.Repeat("c", 1000)} {
		octets := []byte(name)
		if n := testing.AllocsPerRun(100, func() { p.Community(wire.ModelV2c, octets, from) }); n != 0 {
			t.Errorf("%d octets: %v allocations", len(name), n)
		}
	}
}
