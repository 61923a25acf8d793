package relay

import (
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// sender is a [client.Group], or a [client.Batch] of one.
type sender interface {
	Send(req client.Request, at retry.Progress)
	SendTo(server string, req client.Request)
}

// batches has the packets of requests that arrived together, by their group. Most are of one group.
type batches []*client.Batch

// of returns the batch of a group.
func (all *batches) of(g *client.Group) *client.Batch {
	for _, b := range *all {
		if b.Group() == g {
			return b
		}
	}
	b := g.Batch()
	*all = append(*all, b)
	return b
}

// flush sends the packets.
func (all *batches) flush() {
	for _, b := range *all {
		b.Flush()
	}
}
