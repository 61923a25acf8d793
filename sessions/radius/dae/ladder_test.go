package dae

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
)

// parseOutcome parses the answer of a NAS in a table: "503" is a NAK, "0" a NAK without
// Error-Cause, "-" silence, "!" an error.
func parseOutcome(t *testing.T, text string) termination.Outcome {
	t.Helper()
	switch text {
	case "ACK":
		return termination.Outcome{Answer: termination.ACK}
	case "-":
		return termination.Outcome{}
	case "!":
		return termination.Outcome{Err: termination.ErrPortUnreachable}
	}
	var cause uint32
	if _, err := fmt.Sscan(text, &cause); err != nil {
		t.Fatal(err)
	}
	return termination.Outcome{Answer: termination.NAK, ErrorCause: radius.ErrorCause(cause)}
}

// requestName names a request in a table: first, full, less, less+ (with Event-Timestamp); a t is
// appended if Event-Timestamp was left out.
func requestName(l ladder) string {
	text := [...]string{"first", "full", "less"}[l.current]
	if l.current == fewest && l.acceptsExtras {
		text += "+"
	}
	if l.timestamp == timestampTryOmit || l.timestamp == timestampOmitted {
		text += "/t"
	}
	return text
}

// TestLadder is rule R33 as a table. Each attempt is a list of "request:answer", followed by the
// outcome of the attempt.
func TestLadder(t *testing.T) {
	usual := ladder{hasExtras: true, hasTimestamp: true}
	tests := []struct {
		name     string
		ladder   ladder
		attempts []string
	}{
		{"ACK", usual, []string{"first:ACK = ACK"}},
		{"402: all known attributes", usual, []string{"first:402 full:ACK = ACK"}},
		{"503 to all known attributes is conclusive", usual, []string{"first:503 full:503 = conclusive"}},
		{"503, then found by more attributes", usual, []string{"first:503 full:ACK = ACK"}},
		{"401: fewer attributes", usual, []string{"first:401 less:ACK = ACK"}},
		{"401 to a signed request, silence to one that is not: signed from now on", usual, []string{"first:401 less:- less+:506 = NAK 506", "less+:ACK = ACK"}},
		{"silence to both: signed only once", usual, []string{"first:401 less:- less+:- = none", "less:- = none", "less:ACK = ACK"}},
		{"401 to the signed one too", usual, []string{"first:401 less:- less+:401 = NAK 401", "less:503 full:ACK = ACK"}},
		{"403: fewer attributes", usual, []string{"first:403 less:ACK = ACK"}},
		{"hostapd no longer has the session", usual, []string{"first:503 full:401 less+:503 = conclusive"}},
		{"hostapd, with a list that it refuses", usual, []string{"first:401 less:503 full:401 = conclusive"}},
		{"full is refused with 402", usual, []string{"first:503 full:402 less+:503 = conclusive"}},
		{"full is refused with 404", usual, []string{"first:503 full:404 less+:503 = conclusive"}},
		{"full is refused with 407", usual, []string{"first:503 full:407 less+:503 = conclusive"}},
		{"403 to full does not make a 503 conclusive", usual, []string{"first:503 full:403 less+:503 = inconclusive", "less+:503 = inconclusive"}},
		{"fewest is refused too: the request that was understood is sent again, and its 503 is conclusive", usual, []string{"first:503 full:401 less+:403 = NAK 403", "first:503 = conclusive"}},
		{"every request is refused: each is sent once", usual, []string{"first:401 less:401 = NAK 401", "less:401 = NAK 401"}},
		{"the NAS misses an attribute that we do not know", usual, []string{"first:402 full:402 less:402 = NAK 402", "less:402 = NAK 402"}},
		{"later attempts send full, which was understood", usual, []string{"first:402 full:506 = NAK 506", "full:506 = NAK 506", "full:ACK = ACK"}},
		{"full was lost: later attempts send it", usual, []string{"first:503 full:- full/t:- = none", "full:503 = conclusive"}},
		{"a NAK without Error-Cause", usual, []string{"first:0 = NAK", "first:0 = NAK"}},
		{"another Error-Cause", usual, []string{"first:501 = NAK 501", "first:404 = NAK 404"}},
		{"no answer: once without Event-Timestamp", usual, []string{"first:- first/t:- = none", "first:- = none", "first:ACK = ACK"}},
		{"no answer because of Event-Timestamp: it is omitted from now on", usual, []string{"first:- first/t:506 = NAK 506", "first/t:- = none", "first/t:503 full/t:ACK = ACK"}},
		{"no answer after an answer", usual, []string{"first:506 = NAK 506", "first:- first/t:- = none", "first:- = none"}},
		{"closed port: no step", usual, []string{"first:! = none", "first:- first/t:ACK = ACK"}},
		{"no answer, and first has no Event-Timestamp", ladder{}, []string{"first:- = none", "first:- = none"}},
		{"no answer to fewest, which has no Event-Timestamp", ladder{hasExtras: true, hasTimestamp: true, triedExtras: true}, []string{"first:401 less:- = none", "less:ACK = ACK"}},
		{"first is full", ladder{hasExtras: true, hasTimestamp: true, firstIsFull: true}, []string{"first:503 = conclusive"}},
		{"first is full, and is refused", ladder{hasExtras: true, hasTimestamp: true, firstIsFull: true}, []string{"first:401 less:503 = conclusive"}},
		{"first is fewest", ladder{firstIsMinimal: true}, []string{"first:503 full:401 = conclusive"}},
		{"first is fewest and Event-Timestamp", ladder{hasExtras: true, hasTimestamp: true, firstIsMinimal: true}, []string{"first:401 less:ACK = ACK"}},
		{"first is full and fewest", ladder{firstIsFull: true, firstIsMinimal: true}, []string{"first:401 = NAK 401", "first:503 = conclusive"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := tt.ladder
			for _, attempt := range tt.attempts {
				steps, want, _ := strings.Cut(attempt, " = ")
				list := strings.Fields(steps)
				for i, step := range list {
					request, answer, _ := strings.Cut(step, ":")
					if got := requestName(l); got != request {
						t.Fatalf("%s: step %d sends %s", attempt, i+1, got)
					}
					var out termination.Outcome
					var again bool
					l, out, again = l.step(parseOutcome(t, answer))
					if last := i == len(list)-1; again == last {
						t.Fatalf("%s: step %d: again %t", attempt, i+1, again)
					} else if last && outcomeName(out) != want {
						t.Fatalf("%s: ends with %s", attempt, outcomeName(out))
					}
				}
			}
		})
	}
}

// outcomeName names the outcome of an attempt in a table.
func outcomeName(out termination.Outcome) string {
	switch {
	case out.Answer == termination.NoAnswer:
		return "none"
	case out.ErrorCause == radius.SessionContextNotFound && out.Inconclusive:
		return "inconclusive"
	case out.ErrorCause == radius.SessionContextNotFound:
		return "conclusive"
	case out.Answer == termination.NAK && out.ErrorCause != 0:
		return fmt.Sprint("NAK ", uint32(out.ErrorCause))
	}
	return out.String()
}

// TestLadderEnds: whatever a NAS answers, an attempt sends at most one request for each rung, one
// without Event-Timestamp and one that is signed, and makes each step once.
func TestLadderEnds(t *testing.T) {
	answers := []string{"401", "402", "403", "404", "407", "503", "0", "-", "!"}
	var climb func(l ladder, depth, entered, path int)
	climb = func(l ladder, depth, requests, steps int) {
		if requests > 5 || steps > 4 {
			t.Fatalf("%d requests in one attempt, %d steps", requests, steps)
		}
		if depth == 0 {
			return
		}
		for _, a := range answers {
			next, _, again := l.step(parseOutcome(t, a))
			if again {
				climb(next, depth-1, requests+1, steps+1)
			} else {
				climb(next, depth-1, 1, steps)
			}
		}
	}
	for _, l := range []ladder{{}, {hasExtras: true, hasTimestamp: true}, {firstIsFull: true}, {firstIsMinimal: true, hasExtras: true}} {
		climb(l, 5, 1, 0)
	}
}

// rejectingNAS answers as hostapd does: 401 to each attribute that it does not know, 503 for a
// session that it does not have.
func rejectingNAS(knows bool, refused ...radius.Type) radiustest.Handler {
	return func(r radiustest.Request) []byte {
		for _, avp := range r.Packet.Attributes {
			for _, t := range refused {
				if avp.Type == layeh.Type(t) {
					return radiustest.NAK(401)(r)
				}
			}
		}
		if !knows {
			return radiustest.NAK(503)(r)
		}
		return radiustest.ACK(r)
	}
}

// hostapdRejects are the attributes that hostapd 2.10 answers with 401.
var hostapdRejects = []radius.Type{
	radius.NASPort, radius.NASPortID, radius.Class, radius.FramedIPAddress, radius.ServiceType, 49, radius.ProxyState,
}

// requiringNAS identifies a session by one attribute only, and answers with cause if it is missing.
func requiringNAS(attribute radius.Type, cause uint32) radiustest.Handler {
	return func(r radiustest.Request) []byte {
		for _, avp := range r.Packet.Attributes {
			if avp.Type == layeh.Type(attribute) {
				return radiustest.ACK(r)
			}
		}
		return radiustest.NAK(cause)(r)
	}
}

// TestLadderOverLoopback sends real octets to NASes with the known behaviours.
func TestLadderOverLoopback(t *testing.T) {
	known := []string{
		"User-Name=alice", "NAS-IP-Address=7f000001", "NAS-Identifier=hostapd-wired-1", "Calling-Station-Id=02-00-00-00-00-02",
		"Acct-Session-Id=8D5C1B9A0F3E7746",
	}
	all := []string{
		"User-Name=alice", "NAS-IP-Address=7f000001", "NAS-Identifier=hostapd-wired-1", "NAS-Port=00000007", "Framed-IP-Address=c0000207",
		"Calling-Station-Id=02-00-00-00-00-02", "Acct-Session-Id=8D5C1B9A0F3E7746",
	}
	less := []string{"Acct-Session-Id=8D5C1B9A0F3E7746", "User-Name=alice"}
	withTail := func(list []string, tail ...string) []string { return append(append([]string(nil), list...), tail...) }
	const stamp, signed = "Event-Timestamp", "Message-Authenticator=computed"
	tests := []struct {
		name    string
		own     []string
		handler radiustest.Handler
		asked   [][]string
		ends    string
	}{
		{"hostapd has the session", nil, rejectingNAS(true, hostapdRejects...), [][]string{withTail(known, stamp, signed)}, "ACK"},
		{"hostapd does not have the session", nil, rejectingNAS(false, hostapdRejects...), [][]string{withTail(known, stamp, signed), withTail(all, stamp, signed), withTail(less, stamp, signed)}, "conclusive"},
		{"hostapd does not have the session, with a list of the client", []string{"Acct-Session-Id", "NAS-Port"}, rejectingNAS(false, hostapdRejects...), [][]string{{"Acct-Session-Id=8D5C1B9A0F3E7746", "NAS-Port=00000007"}, less, all}, "conclusive"},
		{"NAS that finds sessions by address only", nil, requiringNAS(radius.FramedIPAddress, 503), [][]string{withTail(known, stamp, signed), withTail(all, stamp, signed)}, "ACK"},
		{"NAS that answers 402", nil, requiringNAS(radius.NASPort, 402), [][]string{withTail(known, stamp, signed), withTail(all, stamp, signed)}, "ACK"},
		{"NAS that refuses Event-Timestamp", nil, rejectingNAS(true, radius.EventTimestamp), [][]string{withTail(known, stamp, signed), less}, "ACK"},
		{"NAS that answers 403", nil, radiustest.Nth(radiustest.NAK(403), radiustest.ACK), [][]string{withTail(known, stamp, signed), less}, "ACK"},
		{"NAS whose clock is wrong", nil, func(r radiustest.Request) []byte {
			if len(r.Packet.Get(layeh.Type(radius.EventTimestamp))) > 0 {
				return nil
			}
			return radiustest.ACK(r)
		}, [][]string{withTail(known, stamp, signed), withTail(known, signed)}, "ACK"},
		{
			"NAS that requires values that no session has",
			[]string{"Acct-Session-Id", "Service-Type = Login-User", `Cisco-AVPair = "a=b"`, "NAS-Port = 9"},
			radiustest.Nth(radiustest.NAK(503), radiustest.NAK(401), radiustest.ACK),
			[][]string{
				{"Acct-Session-Id=8D5C1B9A0F3E7746", "Service-Type=\x00\x00\x00\x01", "Vendor-Specific=\x00\x00\x00\x09\x01\x05a=b", "NAS-Port=00000009"},
				withTail(slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == "NAS-Port=00000007" }),
					"Service-Type=\x00\x00\x00\x01", "Vendor-Specific=\x00\x00\x00\x09\x01\x05a=b", "NAS-Port=00000009"),
				less,
			},
			"ACK",
		},
		{"strongSwan: a NAK without Error-Cause", nil, radiustest.NAK(0), [][]string{withTail(known, stamp, signed)}, "NAK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := local()
			c.DisconnectAttributes = tt.own
			cfg := Config{Clients: []nasradius.Client{c}, Timeout: time.Second, Retransmissions: -1}
			d, nas, log := startDisconnector(t, cfg, tt.handler)
			s := hostapdSession("127.0.0.2")
			s.Attrs += radius.Attributes(num(radius.FramedIPAddress, 0xc0000207))
			out := d.Disconnect(t.Context(), firstAttempt(s))
			if got := outcomeName(out); got != tt.ends {
				t.Errorf("outcome %s, want %s", got, tt.ends)
			}
			var asked [][]string
			for nas.Waiting() > 0 {
				list := attributesOf(t, nas.Next().Data)
				for i, a := range list {
					if strings.HasPrefix(a, stamp) {
						list[i] = stamp
					}
				}
				asked = append(asked, list)
			}
			if diff := cmp.Diff(tt.asked, asked); diff != "" {
				t.Error(diff)
			}
			if lines := strings.Count(log.String(), "disconnect: sending another request"); lines != len(tt.asked)-1 {
				t.Errorf("%d lines in the log: %s", lines, log)
			}
		})
	}
}

// TestLadderKeptBetweenAttempts: another attempt at a session continues where the last one ended.
// An attempt at another session starts at the first rung.
func TestLadderKeptBetweenAttempts(t *testing.T) {
	d, nas, _ := startDisconnector(t, Config{}, radiustest.Nth(radiustest.NAK(402), radiustest.NAK(506)))
	a := firstAttempt(hostapdSession("127.0.0.2"))
	for range 3 {
		if out := d.Disconnect(t.Context(), a); out.ErrorCause != 506 {
			t.Fatalf("outcome %v", out)
		}
	}
	var lengths []int
	for nas.Waiting() > 0 {
		lengths = append(lengths, len(attributesOf(t, nas.Next().Data)))
	}
	if diff := cmp.Diff([]int{7, 8, 8, 8}, lengths); diff != "" {
		t.Errorf("numbers of attributes: %s", diff)
	}
	d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
	if n := len(attributesOf(t, nas.Next().Data)); n != 7 {
		t.Errorf("%d attributes of another session", n)
	}
}
