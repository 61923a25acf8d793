package stand

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"time"

	"aaasess/bench/nasload"
)

// controlLimit is the time limit for an answer with counts. The load may delay it.
const controlLimit = 5 * time.Second

// askCounts gets the counts of a server of the bench, an accepter or acknowledger: it answers a datagram
// "?" to this port with them, as JSON.
func askCounts(port uint16, counts any) error {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(nasload.Loopback(), port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(controlLimit)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{'?'}); err != nil {
		return err
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil {
		return fmt.Errorf("counts at port %d: %w", port, err)
	}
	return json.Unmarshal(answer[:n], counts)
}
