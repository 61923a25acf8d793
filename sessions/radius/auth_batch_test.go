package radius

import (
	"fmt"
	"slices"
	"testing"

	"aaasess/internal/radius"
)

// batchRelayed is a BatchRelay that hands its requests to the test.
type batchRelayed struct {
	relayed
	batches []int // how many requests each call of RelayAll brought; the reader's
}

func (r *batchRelayed) RelayAll(batch []*AccessRequest) {
	r.batches = append(r.batches, len(batch))
	for _, q := range batch {
		r.Relay(q)
	}
}

// TestTogether: requests that have arrived together are relayed together, each once and in order, also
// if the last packet beside them is dropped or is a copy.
func TestTogether(t *testing.T) {
	for name, last := range map[string][]byte{
		"the last one is a request": access(200, attr(radius.UserName, "bob")),
		"the last one is a copy":    access(38, attr(radius.UserName, "bob")), // of the one before: it may get a second answer, behind all others
		"the last one is dropped":   {1, 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			relay := &batchRelayed{relayed: newRelayed()}
			h, cfg := configFor(t, "127.0.0.1:0", []Client{local()})
			l, err := NewAuthListener(cfg, relay)
			if err != nil {
				t.Fatal(err)
			}
			n := h.dial(l.Addr())
			var want []byte
			for i := range 39 {
				n.send(access(byte(i), attr(radius.UserName, "bob")))
				want = append(want, byte(i))
			}
			n.send(last)
			if last[1] == 200 {
				want = append(want, 200)
			}
			h.run(l.Run)
			var got []byte
			for range want {
				q := relay.next(t)
				got = append(got, q.Packet.Identifier())
				q.Answer(radius.CodeAccessAccept, nil)
			}
			for _, id := range want {
				n.receiveCode(access(id, attr(radius.UserName, "bob")), radius.CodeAccessAccept)
			}
			h.stop()
			if !slices.Equal(got, want) || len(relay.relayed) != 0 {
				t.Errorf("relayed %d, want %d, and %d more", got, want, len(relay.relayed))
			}
			total := 0
			for _, n := range relay.batches {
				total += n
			}
			if total < 30 {
				t.Error(fmt.Sprint("together: ", relay.batches))
			}
		})
	}
}
