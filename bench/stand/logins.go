package stand

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Login says what the load generator for logins sends, see peers/logins.c.
type Login string

// The kinds of logins.
const (
	PAP Login = "pap" // one Access-Request with User-Password
	EAP Login = "eap" // three with EAP-Message
)

// flood is requests with a wrong secret, which no server may answer.
const flood = "flood"

// Requests returns the number of requests in a login.
func (l Login) Requests() int {
	if l == EAP {
		return 3
	}
	return 1
}

// BuildLogins builds the load generator for logins and the server for them, with gcc, into dir.
func BuildLogins(ctx context.Context, dir string) error {
	return buildC(ctx, dir, loginsProgram, PeerAccepter)
}

// SendLogins sends logins to a port and waits for their answers. If ctx is done first, it sends no more,
// and the result is of what was sent until then. Wrong answers are an error.
func (h Host) SendLogins(ctx context.Context, kind Login, port uint16, l Load) (LoadResult, error) {
	r, err := h.load(ctx, loginsProgram, string(kind), port, l)
	if err == nil && r.Bad > 0 {
		err = fmt.Errorf("%s: %d wrong answers", loginsProgram, r.Bad)
	}
	return r, err
}

// Flood sends Access-Requests with a wrong secret to a port, rate a second, from the address of another
// client, until ctx is done. It returns how many it sent a second. An answer to one of them is an error.
func (h Host) Flood(ctx context.Context, port uint16, rate float64) (float64, error) {
	count := int(rate * mostFlood.Seconds())
	r, err := h.load(ctx, loginsProgram, flood, port, Load{Count: count, Rate: rate, Timeout: floodTimeout, Tries: 1})
	switch {
	case err != nil:
		return 0, err
	case r.Bad > 0:
		return 0, fmt.Errorf("%s: %d answers to requests with a wrong secret", loginsProgram, r.Bad)
	case ctx.Err() == nil:
		return 0, fmt.Errorf("bench: the measurement took longer than %v of flood", mostFlood)
	}
	return float64(r.Sent) / max(r.Sending, time.Millisecond).Seconds(), nil
}

// mostFlood is the longest time of a flood.
const mostFlood = 2 * time.Minute

// floodTimeout is the time after which the identifier of a request of the flood is free again.
const floodTimeout = 100 * time.Millisecond

// probedUser is the number of the user who logs in until a contender answers. No load has it.
const probedUser = 16_000_000

// awaitLogin sends the login of a user to a server until it is accepted. It returns an error if one of
// the needed processes ends.
func (h Host) awaitLogin(ctx context.Context, port uint16, needed ...*Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		r, err := h.SendLogins(ctx, PAP, port, Load{First: probedUser, Count: 1, InFlight: 1, Timeout: 20 * time.Millisecond, Tries: 10})
		if err == nil && r.Answered == 1 {
			return nil
		}
		for _, p := range needed {
			if err := p.Ended(); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for a login at port %d: %w", port, errors.Join(context.Cause(ctx), err))
		}
	}
}
