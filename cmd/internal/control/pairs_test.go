package control_test

import (
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestPairNames: the pairs have the names of TACACS+ arguments in docs/records.md, except those of
// addresses and prefixes, and docs/accounting.md has a row for each.
func TestPairNames(t *testing.T) {
	now := time.Now()
	d, client := accountant(t, now)
	v6 := netip.MustParseAddr("2001:db8::7").As16()
	whole := func(ev *sessions.Event) { ev.Sent = sessions.WholeUsage }
	begin(t, d, "ann", now, whole, number(radius.FramedIPAddress, 10<<24|3), with(radius.FramedIPv6Address, string(v6[:])),
		with(radius.FramedIPv6Prefix, "\x00\x40\x20\x01\x0d\xb8\x00\x01\x00\x02"), with(radius.DelegatedIPv6Prefix, "\x00\x30\x20\x01\x0d\xb8\x00\x42"))
	begin(t, d, "bob", now, whole, kind(sessions.Exec))
	begin(t, d, "cat", now, whole, kind(sessions.Connection), number(radius.LoginService, 0), number(radius.LoginIPHost, 10<<24|1))
	list, err := client.Accounted(t.Context(), api.Query{})
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	shown := map[string]bool{}
	for s, err := range list.AllAccounted() {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.Pairs {
			shown[p.Name] = true
		}
	}
	if diff := cmp.Diff(firstCells(t, "accounting.md", "| pair |"), slices.Sorted(maps.Keys(shown))); diff != "" {
		t.Errorf("docs/accounting.md (-) and pairs (+):\n%s", diff)
	}
	arguments := firstCells(t, "records.md", "| TACACS+ | in the records of |")
	for _, ours := range []string{"address", "prefix", "delegated-prefix"} {
		if !shown[ours] {
			t.Errorf("%s is not shown", ours)
		}
		delete(shown, ours)
	}
	for name := range shown {
		if !slices.Contains(arguments, name) {
			t.Errorf("%s is not one of %s", name, arguments)
		}
	}
}

// firstCells returns the names in the first cells of a table of a page, sorted. title begins the
// table.
func firstCells(t *testing.T, page, title string) (names []string) {
	t.Helper()
	b, err := os.ReadFile("../../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(b), "\n"+title)
	if !found {
		t.Fatalf("%s has no table %s", page, title)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n")[2:] {
		for _, name := range strings.Split(strings.Split(row, "|")[1], ",") {
			names = append(names, strings.Trim(name, " `"))
		}
	}
	slices.Sort(names)
	return names
}
