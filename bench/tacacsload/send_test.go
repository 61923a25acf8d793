package tacacsload

import (
	"net"
	"sync/atomic"
	"testing"
)

// TestSend: each contender sends all its records once, also a number that connections cannot share
// evenly.
func TestSend(t *testing.T) {
	for _, who := range Contenders {
		for _, n := range []int{3, 2003} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			seen := make([]atomic.Int64, n)
			go func() {
				if err := Serve(l, func(i int) { seen[i].Add(1) }); err != nil {
					t.Error(err)
				}
			}()
			took, err := Send(t.Context(), who, l.Addr().(*net.TCPAddr).AddrPort(), n)
			if err != nil || took <= 0 {
				t.Errorf("%s, %d records: %v, %v", who, n, took, err)
			}
			for i := range seen {
				if times := seen[i].Load(); times != 1 {
					t.Errorf("%s, %d records: %d came %d times", who, n, i, times)
				}
			}
		}
	}
}
