package cas

import (
	"slices"
	"testing"

	"aaasess/internal/servers"
)

// TestAddressTwiceInFile: the file may have an address twice (R43), and then both rows are active. A new row
// with the address is refused until both are destroyed.
func TestAddressTwiceInFile(t *testing.T) {
	d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"), entryOf(servers.RADIUS, 2, "192.0.2.1"))
	want := []string{"casConfigRowStatus.2.1 1", "casConfigRowStatus.2.2 1"}
	if got := d.walk(t, configEntry.Append(8)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	const create = "casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.1"
	for _, destroy := range []string{"casConfigRowStatus.2.1=6", "casConfigRowStatus.2.2=6"} {
		if got := statusOf(d.set(assign(create))); got != "inconsistentValue 1" {
			t.Errorf("before %s: %s", destroy, got)
		}
		d.must(t, destroy)
	}
	d.must(t, create)
}
