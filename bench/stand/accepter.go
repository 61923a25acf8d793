package stand

import (
	"context"
	"fmt"
	"path/filepath"

	"aaasess/internal/freeport"
)

// PeerAccepter is the server for logins, which keeps nothing: peers/accepter.c.
const PeerAccepter = "accepter"

// accepter is its process.
type accepter struct {
	*Process
	port uint16
}

// accepted is its counts.
type accepted struct {
	Requests int64
	Wrong    int64 // not signed, with another password than the user's, or out of order
}

// startAccepter starts an accepter and returns when it answers.
func startAccepter(ctx context.Context, h Host) (*accepter, error) {
	port, err := freeport.UDP()
	if err != nil {
		return nil, err
	}
	p, err := h.start(ctx, filepath.Join(h.Dir, PeerAccepter), fmt.Sprint(port), fmt.Sprint(LargeBuffer))
	if err != nil {
		return nil, err
	}
	if err := h.awaitLogin(ctx, port, p); err != nil {
		p.stop()
		return nil, err
	}
	return &accepter{p, port}, nil
}

// counts asks it for its counts.
func (a *accepter) counts() (got accepted, err error) {
	err = askCounts(a.port, &got)
	return got, err
}
