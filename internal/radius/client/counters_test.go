package client_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/servers"
)

// counted returns the counters that are not 0, in the order of their fields.
func counted(s *servers.Stats) string {
	var out []string
	var add func(prefix string, v reflect.Value)
	add = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			switch f, name := v.Field(i), prefix+v.Type().Field(i).Name; {
			case f.Kind() == reflect.Uint64 && f.Uint() != 0:
				out = append(out, fmt.Sprintf("%s %d", name, f.Uint()))
			case f.Type() == reflect.TypeFor[servers.StatusServer]():
				add("Status-Server ", f)
			}
		}
	}
	add("", reflect.ValueOf(*s))
	return strings.Join(out, ", ")
}

// TestCounters: which event moves which counters. A request has two transmissions, at 0 s and at 1 s.
// The definitions are those of RFC 4670 and RFC 4668; for Status-Server, of RFC 5997.
func TestCounters(t *testing.T) {
	const (
		unanswered = "Requests 1, Retransmissions 1, "
		failed     = "Timeouts 2, "
		died       = "DeadCount 1, Failures 1"
	)
	reply := func(a radiusnet.Answer) radiusnet.Reaction { return radiusnet.Reaction{Answer: a} }
	code := func(a radiusnet.Answer, c radius.Code) radiusnet.Reaction {
		return radiusnet.Reaction{Answer: a, Code: c}
	}
	status := client.Test{StatusServer: true, IdleTime: time.Minute}
	user := client.Test{Username: "probe", IdleTime: time.Minute}
	elsewhere := radiusnet.Reaction{From: netip.MustParseAddrPort("192.0.2.99:1812")}
	for _, tc := range []struct {
		name       string
		reaction   radiusnet.Reaction
		test       client.Test // instead of a request
		auth, acct string      // counters; "" in auth means those of acct
	}{
		{"an answer", radiusnet.Reaction{}, client.Test{}, "Requests 1, Responses 1, Accepts 1, Successes 1, TimedResponses 1", "Requests 1, Responses 1, Successes 1, TimedResponses 1"},
		{"an Access-Reject", code(radiusnet.Right, radius.CodeAccessReject), client.Test{}, "Requests 1, Responses 1, Rejects 1, Successes 1, TimedResponses 1", "-"},
		{"an Access-Challenge", code(radiusnet.Right, radius.CodeAccessChallenge), client.Test{}, "Requests 1, Responses 1, Challenges 1, Successes 1, TimedResponses 1", "-"},
		{"no answer", reply(radiusnet.Silent), client.Test{}, "", unanswered + failed + died},
		{
			"an answer after its timeout, and one to the retransmission",
			radiusnet.Reaction{After: 1500 * time.Millisecond},
			client.Test{},
			// For authentication, both transmissions have the same identifier: it is free after the first.
			"Requests 1, Retransmissions 1, Responses 2, Accepts 2, Timeouts 1, PacketsDropped 1, Successes 1",
			"Requests 1, Retransmissions 1, Responses 2, Timeouts 1, LateResponses 1, Successes 1",
		},
		{"a copy of an answer", radiusnet.Reaction{Copies: 1}, client.Test{}, "Requests 1, Responses 2, Accepts 2, PacketsDropped 1, Successes 1, TimedResponses 1", "Requests 1, Responses 2, PacketsDropped 1, Successes 1, TimedResponses 1"},
		{"a wrong authenticator", reply(radiusnet.WrongSecret), client.Test{}, unanswered + "Responses 2, Accepts 2, BadAuthenticators 2, " + failed + died, unanswered + "Responses 2, BadAuthenticators 2, " + failed + died},
		{"an Access-Reject with a wrong authenticator", code(radiusnet.WrongSecret, radius.CodeAccessReject), client.Test{}, unanswered + "Responses 2, Rejects 2, BadAuthenticators 2, " + failed + died, "-"},
		{"to no request", reply(radiusnet.WrongIdentifier), client.Test{}, unanswered + "Responses 2, Accepts 2, " + failed + "PacketsDropped 2, " + died, unanswered + "Responses 2, " + failed + "PacketsDropped 2, " + died},
		{"of another type", reply(radiusnet.WrongCode), client.Test{}, "", unanswered + "Responses 2, " + failed + "UnknownTypes 2, " + died},
		{"of another type, to no request", code(radiusnet.WrongIdentifier, radius.CodeStatusServer), client.Test{}, "", unanswered + "Responses 2, " + failed + "UnknownTypes 2, " + died},
		{"of an invalid length", reply(radiusnet.CutOff), client.Test{}, unanswered + "Responses 2, Accepts 2, MalformedResponses 2, " + failed + died, unanswered + "Responses 2, MalformedResponses 2, " + failed + died},
		{"of another type and an invalid length", code(radiusnet.CutOff, radius.CodeStatusServer), client.Test{}, "", unanswered + "Responses 2, " + failed + "UnknownTypes 2, " + died},
		{"from another address", elsewhere, client.Test{}, "", unanswered + failed + died},
		{"a test with a user", radiusnet.Reaction{}, user, "Requests 1, Responses 1, Accepts 1, Tests 1, Successes 1, TimedResponses 1", "Requests 1, Responses 1, Tests 1, Successes 1, TimedResponses 1"},
		{"a test with a user, unanswered", reply(radiusnet.Silent), user, "", unanswered + failed + "Tests 1, TestsFailed 1, " + died},
		{"a Status-Server", radiusnet.Reaction{}, status, "", "Tests 1, Status-Server Sent 1, Status-Server Responses 1"},
		{"a Status-Server, unanswered", reply(radiusnet.Silent), status, "", "Tests 1, TestsFailed 1, Status-Server Sent 2, Status-Server Timeouts 2, DeadCount 1"},
		{"a Status-Server, answered late", radiusnet.Reaction{After: 1500 * time.Millisecond}, status, "", "Tests 1, Status-Server Sent 2, Status-Server Responses 2, Status-Server Timeouts 1"},
		{"a copy of an answer to a Status-Server", radiusnet.Reaction{Copies: 1}, status, "", "Tests 1, Status-Server Sent 1, Status-Server Responses 2"},
		{"a Status-Server, answered with a wrong authenticator", reply(radiusnet.WrongSecret), status, "", "Tests 1, TestsFailed 1, Status-Server Sent 2, Status-Server Responses 2, Status-Server Timeouts 2, DeadCount 1"},
		{"a Status-Server, answered with an invalid length", reply(radiusnet.CutOff), status, "", "Tests 1, TestsFailed 1, Status-Server Sent 2, Status-Server Responses 2, Status-Server Timeouts 2, DeadCount 1"},
		{"a Status-Server, answered with another type", reply(radiusnet.WrongCode), status, "", "Tests 1, TestsFailed 1, Status-Server Sent 2, Status-Server Responses 2, Status-Server Timeouts 2, DeadCount 1"},
	} {
		want := map[client.Purpose]string{client.Accounting: tc.acct, client.Authentication: tc.auth}
		if tc.auth == "" {
			want[client.Authentication] = tc.acct
		}
		for purpose, want := range want {
			if want == "-" {
				continue
			}
			t.Run(fmt.Sprint(tc.name, "/", purpose), func(t *testing.T) {
				withRig(t, func(r *rig) { checkCounters(r, purpose, tc.reaction, tc.test, want) })
			})
		}
	}
}

// checkCounters checks the counters after a request, or after a test, that the server reacts to.
func checkCounters(r *rig, purpose client.Purpose, reaction radiusnet.Reaction, test client.Test, want string) {
	handle := func([]byte, radiusnet.Arrival) radiusnet.Reaction { return reaction }
	r.host("192.0.2.1", handle)
	r.authHost("192.0.2.1", handle)
	m := both("192.0.2.1")
	m.Test = test
	g := r.group(client.GroupConfig{Purpose: purpose}, m)
	switch {
	case test != client.Test{}:
		r.sleep(70) // the test is at 60 s; a dead port is tested again at 92 s
	case purpose == client.Authentication:
		r.login(g, 1)
	default:
		r.send(g, 1)
	}
	r.sleep(75)
	s := g.Stats().Servers[0]
	if got := counted(&s); got != want || s.PendingRequests != 0 {
		r.Errorf("%s; %d are pending\nwant %s", got, s.PendingRequests, want)
	}
	all := r.client.Statistics()
	mine, others := &all.Records[0].Accounting, &all.Records[0].Authentication
	if purpose == client.Authentication {
		mine, others = others, mine
	}
	if *mine != s || counted(others) != "" {
		r.Errorf("the client has %+v", all)
	}
	var invalid uint64
	if reaction.From.IsValid() {
		invalid = 2
	}
	got := map[client.Purpose]uint64{client.Accounting: all.InvalidAcctAddresses, client.Authentication: all.InvalidAuthAddresses}
	if got[purpose] != invalid || got[1-purpose] != 0 {
		r.Errorf("packets from other addresses: %v", got)
	}
}
