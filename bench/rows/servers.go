package rows

import (
	"fmt"
	"net/netip"
	"time"

	"aaasess/internal/servers"
)

// Servers returns what the MIB modules show of n RADIUS servers, each used for accounting and for
// authentication.
func Servers(n uint32) *servers.View {
	now := time.Now()
	v := &servers.View{Now: now, NASIdentifier: "bench"}
	for i := uint32(1); i <= n; i++ {
		counted := func(requests uint64) servers.Stats {
			return servers.Stats{
				Requests: requests, Responses: requests, Successes: requests, State: servers.Up, StateSince: now,
				RoundTripTime: time.Millisecond, TimedResponses: 1, ResponseTime: time.Millisecond, CountedSince: now.Add(-time.Hour),
			}
		}
		v.Entries = append(v.Entries, servers.Entry{
			Identity: servers.Identity{Protocol: servers.RADIUS, Name: fmt.Sprintf("server%d", i), AuthPort: 1812, AcctPort: 1813},
			Index:    i, Number: i, Priority: i, Addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
			Authentication: counted(uint64(i)), Accounting: counted(uint64(i) * 10), State: servers.Lifetime{Since: now},
		})
	}
	return v
}
