package cas

import (
	"fmt"
	"strings"
	"testing"

	"aaasess/internal/servers"
)

// TestRowStatus is the table of states and actions in RFC 2579, RowStatus, for a row that has what it
// needs and for one that does not. A is no row, B is notReady, C is notInService, D is active.
func TestRowStatus(t *testing.T) {
	states := map[string]string{
		"A": "",
		"B": "casConfigRowStatus.2.7=5",
		"C": "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.7",
		"D": "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7",
	}
	const address = " casAddress.2.7=192.0.2.8"
	tests := []struct {
		action string // the SET
		want   string // for A to D: the state after it, or else the error: v is inconsistentValue, n is inconsistentName
	}{
		{"casConfigRowStatus.2.7=4", "v v v v"},
		{"casConfigRowStatus.2.7=4" + address, "D v v v"},
		{"casConfigRowStatus.2.7=5", "B v v v"},
		{"casConfigRowStatus.2.7=5" + address, "C v v v"},
		{"casConfigRowStatus.2.7=1", "v v D v"},
		{"casConfigRowStatus.2.7=1" + address, "v D D v"},
		{"casConfigRowStatus.2.7=2", "v v C v"},
		{"casConfigRowStatus.2.7=2" + address, "v C C v"},
		{"casConfigRowStatus.2.7=6", "A A A A"},
		{"casConfigRowStatus.2.7=6" + address, "v v v v"},
		{"casAddress.2.7=192.0.2.8", "n C C v"},
		{"casAuthenPort.2.7=1", "n B C v"},
		{"casAcctPort.2.7=1", "n B C v"},
		{"casKey.2.7=x", "n B C v"},
	}
	for _, tt := range tests {
		for i, want := range strings.Fields(tt.want) {
			from := string(rune('A' + i))
			t.Run(from+" "+tt.action, func(t *testing.T) {
				d := newDaemon(t)
				if states[from] != "" {
					d.must(t, states[from])
				}
				before := strings.Join(d.walk(t, Root), "\n")
				got := strings.TrimSuffix(strings.TrimSuffix(statusOf(d.set(assign(tt.action))), " 1"), " 2")
				switch got {
				case "noError":
					got = map[string]string{"noSuchInstance": "A", "3": "B", "2": "C", "1": "D"}[d.get("casConfigRowStatus.2.7")]
				default:
					got = map[string]string{"inconsistentValue": "v", "inconsistentName": "n"}[got]
					if after := strings.Join(d.walk(t, Root), "\n"); after != before {
						t.Errorf("refused, and the table changed from\n%s\nto\n%s", before, after)
					}
				}
				if got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestOrderInPDU: the variables of a row may be in any order.
func TestOrderInPDU(t *testing.T) {
	parts := []string{"casAddress.1.7=192.0.2.7", "casAuthenPort.1.7=49", "casKey.1.7=x", "casConfigRowStatus.1.7=4"}
	for i := range parts {
		rotated := strings.Join(append(append([]string{}, parts[i:]...), parts[:i]...), " ")
		t.Run(rotated, func(t *testing.T) {
			d := newDaemon(t)
			d.must(t, rotated)
			want := servers.Created{Protocol: servers.TACACS, Index: 7, Addr: mustAddr("192.0.2.7"), AuthPort: 49, AcctPort: 1646, Key: "x"}
			if len(d.overlay.Created) != 1 || d.overlay.Created[0] != want || d.applies != 1 {
				t.Errorf("created %+v by %d calls", d.overlay.Created, d.applies)
			}
		})
	}
}

// row returns a SET of a complete RADIUS row.
func rowText(index int, status int) string {
	return fmt.Sprintf("casConfigRowStatus.2.%d=%d casAddress.2.%d=10.0.%d.%d ", index, status, index, index>>8, index&255)
}

// TestSetErrors has every error of a SET. Then nothing has changed, and nothing was applied.
func TestSetErrors(t *testing.T) {
	long := strings.Repeat("k", 256)
	var rows64, servers64 strings.Builder
	for i := range 64 {
		fmt.Fprintf(&rows64, "casConfigRowStatus.1.%d=5 ", 1000+i)
		servers64.WriteString(rowText(1000+i, 4))
	}
	tests := []struct{ name, before, set, want string }{
		{"read-only priority", "", "casConfigRowStatus.2.7=5 casPriority.2.7=1", "notWritable 2"},
		{"a statistic", "", "casDeadCount.2.1=1", "notWritable 1"},
		{"notReady", "", "casConfigRowStatus.2.7=3", "wrongValue 1"},
		{"status 0", "", "casConfigRowStatus.2.7=0", "wrongValue 1"},
		{"status 7", "", "casConfigRowStatus.2.7=7", "wrongValue 1"},
		{"0.0.0.0", "", "casConfigRowStatus.2.7=4 casAddress.2.7=0.0.0.0", "wrongValue 2"},
		{"multicast", "", "casAddress.2.7=224.0.0.1", "wrongValue 1"},
		{"broadcast", "", "casAddress.2.7=255.255.255.255", "wrongValue 1"},
		{"port -1", "", "casAuthenPort.2.7=-1", "wrongValue 1"},
		{"port 65536", "", "casAcctPort.2.7=65536", "wrongValue 1"},
		{"key of 256 octets", "", "casKey.2.7=" + long, "wrongLength 1"},
		{"key with a NUL", "", "casKey.2.7=a\x00b", "wrongValue 1"},
		{"key with a DEL", "", "casKey.2.7=\x7f", "wrongValue 1"},
		{"key that is not ASCII", "", "casKey.2.7=\xe9", "wrongValue 1"},
		{"TruthValue 3", "", "casServerStateChangeEnable.0=3", "wrongValue 1"},
		{"another instance of the scalar", "", "casServerStateChangeEnable.1=1", "noCreation 1"},
		{"the scalar twice", "", "casServerStateChangeEnable.0=1 casServerStateChangeEnable.0=2", "inconsistentValue 2"},
		{"protocol 3", "", "casConfigRowStatus.3.7=5", "noCreation 1"},
		{"protocol 0", "", "casConfigRowStatus.0.7=6", "noCreation 1"},
		{"protocol 258", "", "casConfigRowStatus.258.7=5", "noCreation 1"},
		{"index 0", "", "casConfigRowStatus.2.0=5", "noCreation 1"},
		{"a short index", "", "casConfigRowStatus.2=5", "noCreation 1"},
		{"a long index", "", "casConfigRowStatus.2.7.1=5", "noCreation 1"},
		{"a column twice", "", "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.8 casAddress.2.7=192.0.2.9", "inconsistentValue 3"},
		{"a key twice", "", "casKey.2.7=a casKey.2.7=b casConfigRowStatus.2.7=5", "inconsistentValue 2"},
		{"destroyed and created", "", "casConfigRowStatus.2.7=6 casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7", "inconsistentValue 2"},
		{"both ports the same", "", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7 casAcctPort.2.7=1645", "inconsistentValue 1"},
		{"both ports 0", "", "casAcctPort.2.7=0 casAuthenPort.2.7=0 casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7", "inconsistentValue 3"},
		{"TACACS+ without a port", "", "casConfigRowStatus.1.7=4 casAddress.1.7=192.0.2.7", "inconsistentValue 1"},
		{"TACACS+ with port 0", "", "casAuthenPort.1.7=0 casConfigRowStatus.1.7=4 casAddress.1.7=192.0.2.7", "inconsistentValue 2"},
		{"no key at all", "", "casAuthenPort.1.7=49 casConfigRowStatus.1.7=4 casAddress.1.7=192.0.2.7", "inconsistentValue 2"},
		{"the address of a server of the file", "", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.1", "inconsistentValue 1"},
		{"one address for two new rows", "", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7 casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.7", "inconsistentValue 3"},
		{"the address of another new row", "casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.7", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7", "inconsistentValue 1"},
		{"a server that is listed", "", "casConfigRowStatus.2.2=6", "inconsistentValue 1"},
		{"a column of a server of the file", "", "casKey.2.1=x", "inconsistentValue 1"},
		{"the index of a server without rows", "", "casConfigRowStatus.2.3=4 casAddress.2.3=192.0.2.7", "inconsistentValue 1"},
		{"a column of a server without rows", "", "casAddress.2.3=192.0.2.7", "inconsistentName 1"},
		{"the first row is good, the second is not", "", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7 casConfigRowStatus.2.8=4", "inconsistentValue 3"},
		{"a SET of the scalar that fails elsewhere", "", "casServerStateChangeEnable.0=1 casConfigRowStatus.2.8=4", "inconsistentValue 2"},
		{"65 rows in the making", rows64.String(), "casConfigRowStatus.1.9=5", "resourceUnavailable 1"},
		{"65 rows in the making at once", "", rows64.String() + "casConfigRowStatus.1.9=5", "resourceUnavailable 65"},
		{"too many servers at once", "", servers64.String(), "resourceUnavailable 123"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			listed := entryOf(servers.RADIUS, 2, "192.0.2.2")
			listed.Listed = true
			d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"), listed, entryOf(servers.RADIUS, 3, "2001:db8::3"))
			d.keyless[servers.TACACS] = true
			if tt.before != "" {
				d.must(t, tt.before)
			}
			before, applies := strings.Join(d.walk(t, Root), "\n"), d.applies
			if got := statusOf(d.set(assign(tt.set))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if after := strings.Join(d.walk(t, Root), "\n"); after != before || d.applies != applies {
				t.Errorf("changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

// TestSetWorks has SETs that look like errors.
func TestSetWorks(t *testing.T) {
	tests := []struct {
		name, before, set string
		applies           int
		want              string // "variable value" of the table afterwards, separated by commas
	}{
		{"no row to destroy", "", "casConfigRowStatus.2.7=6", 0, "casConfigRowStatus.2.7 noSuchInstance"},
		{"a server without rows", "", "casConfigRowStatus.2.3=6", 0, "casConfigRowStatus.2.3 noSuchInstance"},
		{"the same value twice", "", "casConfigRowStatus.2.7=5 casKey.2.7=a casKey.2.7=a casConfigRowStatus.2.7=5", 0, "casConfigRowStatus.2.7 3"},
		{"a port of 0", "", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7 casAuthenPort.2.7=0", 1, "casConfigRowStatus.2.7 1, casAuthenPort.2.7 0, casAcctPort.2.7 1646"},
		{"an address moves to a new row", "", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.1 casConfigRowStatus.2.1=6", 1, "casConfigRowStatus.2.1 noSuchInstance, casAddress.2.7 192.0.2.1, casPriority.2.7 2"},
		{"the address of a server of another protocol", "", "casConfigRowStatus.1.7=4 casAddress.1.7=192.0.2.1 casAuthenPort.1.7=49", 1, "casConfigRowStatus.1.7 1, casPriority.1.7 1, casAuthorRequests.1.7 0"},
		{"an address twice while not active", "", "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.1 casConfigRowStatus.2.8=5 casAddress.2.8=192.0.2.1", 0, "casConfigRowStatus.2.7 2, casConfigRowStatus.2.8 2"},
		{"a column after another, then active", "casConfigRowStatus.1.7=5,casAddress.1.7=192.0.2.7,casAuthenPort.1.7=4949", "casConfigRowStatus.1.7=1", 1, "casConfigRowStatus.1.7 1, casAuthenPort.1.7 4949"},
		{"a row in the making is destroyed", "casConfigRowStatus.1.7=5", "casConfigRowStatus.1.7=6", 0, "casConfigRowStatus.1.7 noSuchInstance"},
		{"three in the order of the PDU", "", "casConfigRowStatus.2.9=4 casAddress.2.9=192.0.2.9 casConfigRowStatus.2.8=4 casAddress.2.8=192.0.2.8 casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7", 1, "casPriority.2.9 3, casPriority.2.8 4, casPriority.2.7 5"},
		{"the scalar", "", "casServerStateChangeEnable.0=1", 0, "casServerStateChangeEnable.0 1"},
		{"the scalar and a row", "", "casConfigRowStatus.2.7=4 casServerStateChangeEnable.0=1 casAddress.2.7=192.0.2.7", 1, "casServerStateChangeEnable.0 1, casState.2.7 1"},
		{"a key of 255 octets", "", "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7 casKey.2.7=" + strings.Repeat("k", 255), 1, `casKey.2.7 ""`},
		{"a row of the last index", "", "casConfigRowStatus.2.4294967295=4 casAddress.2.4294967295=192.0.2.7", 1, "casConfigRowStatus.2.4294967295 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"), entryOf(servers.RADIUS, 3, "2001:db8::3"))
			for _, text := range strings.Split(tt.before, ",") {
				d.must(t, text)
			}
			d.must(t, tt.set)
			if d.applies != tt.applies {
				t.Errorf("%d calls of Apply, want %d", d.applies, tt.applies)
			}
			for _, line := range strings.Split(tt.want, ", ") {
				name, want, _ := strings.Cut(line, " ")
				if got := d.get(name); got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
		})
	}
}

// TestNotWritable: without snmp.aaa-server-config the table is read-only; the scalar is not.
func TestNotWritable(t *testing.T) {
	d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"))
	d.readOnly = true
	if got := statusOf(d.set(assign("casServerStateChangeEnable.0=1 casConfigRowStatus.2.1=6"))); got != "notWritable 2" || d.enabled {
		t.Errorf("got %s", got)
	}
	d.must(t, "casServerStateChangeEnable.0=1")
	if !d.enabled {
		t.Error("not enabled")
	}
}

// TestNotWritableAnyMore: a reload takes the right to SET the table away between the phases.
func TestNotWritableAnyMore(t *testing.T) {
	for text, want := range map[string]string{
		"casServerStateChangeEnable.0=1 casConfigRowStatus.2.1=6": "commitFailed 2",
		"casConfigRowStatus.2.7=5":                                "commitFailed 1",
		"casServerStateChangeEnable.0=1":                          "noError",
	} {
		d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"))
		before, set := d.image(t), d.test(t, text)
		d.readOnly = true
		err := set.Commit()
		if got := statusOf(err); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if diff := diffImages(before, d.image(t)); err != nil && diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

// TestPrivateServers are not in the group of all servers, which has a limited size.
func TestPrivateServers(t *testing.T) {
	var file []servers.Entry
	for i := range servers.MaxServers {
		e := entryOf(servers.RADIUS, uint32(i+1), fmt.Sprintf("192.0.2.%d", i+1))
		e.Private = i == 0
		file = append(file, e)
	}
	d := newDaemon(t, file...)
	d.must(t, rowText(1000, 4))
	if got := statusOf(d.set(assign(rowText(1001, 4)))); got != "resourceUnavailable 1" {
		t.Errorf("got %s", got)
	}
	if got := statusOf(d.set(assign("casConfigRowStatus.2.1=6 " + rowText(1001, 4)))); got != "resourceUnavailable 2" {
		t.Errorf("in the place of a private server: got %s", got)
	}
	d.must(t, "casConfigRowStatus.2.2=6 "+rowText(1001, 4))
}
