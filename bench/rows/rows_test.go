package rows

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/mib"
	"aaasess/mib/casn"
)

// The comparison is fair only if the rows are those of bench/stand/peers/rows.h.
func TestFillGivesTheRowsOfThePeers(t *testing.T) {
	const n = 300
	table, err := Fill(n)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.View().Len(); got != n {
		t.Fatalf("%d rows, want %d", got, n)
	}
	tree, err := mib.New(casn.New(casn.Config{}, table, nil))
	if err != nil {
		t.Fatal(err)
	}

	type cells struct {
		UserID        string
		IPAddr        uint64
		Disconnect    int32
		CallTrackerID uint64
		VaiIf         uint64
		NASPort       mib.OID
	}
	for _, tt := range []struct {
		id   uint32
		want cells
	}{
		{1, cells{"user0000000001@isp.test", 10<<24 | 1, 2, 0, 0, mib.MustOID("1.3.6.1.2.1.2.2.1.1.2")}},
		{47, cells{"user0000000047@isp.test", 10<<24 | 47, 2, 0, 0, mib.MustOID("1.3.6.1.2.1.2.2.1.1.48")}},
		{300, cells{"user0000000300@isp.test", 10<<24 | 1<<8 | 44, 2, 0, 0, mib.MustOID("1.3.6.1.2.1.2.2.1.1.13")}},
	} {
		t.Run(fmt.Sprint(tt.id), func(t *testing.T) {
			get := func(column uint32, want mib.Type) mib.Value {
				var v mib.Value
				tree.NewReader().Get(casn.Root.Append(1, 3, 1, column, tt.id), &v)
				if v.Type != want {
					t.Errorf("column %d is %v, want %v", column, v.Type, want)
				}
				return v
			}
			disconnect := get(5, mib.Integer32)
			got := cells{
				UserID: get(2, mib.OctetString).Str, IPAddr: get(3, mib.IpAddress).Num,
				Disconnect: disconnect.Int32(), CallTrackerID: get(6, mib.Gauge32).Num,
				NASPort: get(7, mib.ObjectIdentifier).OID, VaiIf: get(8, mib.Integer32).Num,
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			get(4, mib.Gauge32) // casnIdleTime is a clock: only its type is fixed
		})
	}
}
