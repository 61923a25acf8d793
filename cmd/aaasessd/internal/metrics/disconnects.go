package metrics

var (
	disconnectRequests        = counter("disconnect_requests_total", "Disconnect-Requests and CoA-Requests to NASes, without retransmissions.")
	disconnectRetransmissions = counter("disconnect_retransmissions_total", "Further transmissions of these requests.")
	disconnectResults         = counter("disconnect_results_total", "These requests by their outcome: ack, nak or unanswered.", "result")
	disconnectDiscarded       = counter("disconnect_discarded_total", "Datagrams from NASes that answer nothing, by reason: malformed, bad_authenticator or unexpected.", "reason")

	changeRequests = counter("dynauth_requests_total", "Requests of servers to end or change sessions: disconnect or coa.", "type")
	changeResults  = counter("dynauth_results_total", "These requests by their outcome: ack or nak of the NAS, silent (no answer of the NAS), or a refusal of our own.", "result")
	changeInFlight = gauge("dynauth_requests_in_flight", "Requests of servers that wait for a NAS.")
	changeStops    = counter("dynauth_stops_total", "Stop records that were made because a NAS sent none after its ACK.")
)

func (b *builder) addDisconnects(s *Sources) {
	if s.Disconnects != nil {
		d := s.Disconnects()
		b.count(disconnectRequests, d.Requests, nil)
		b.count(disconnectRetransmissions, d.Retransmissions, nil)
		b.count(disconnectResults, d.ACKs, nil, "ack")
		b.count(disconnectResults, d.NAKs, nil, "nak")
		b.count(disconnectResults, d.Unanswered, nil, "unanswered")
		b.count(disconnectDiscarded, d.Malformed, nil, "malformed")
		b.count(disconnectDiscarded, d.BadAuthenticators, nil, "bad_authenticator")
		b.count(disconnectDiscarded, d.Unexpected, nil, "unexpected")
	}
	if s.Changes == nil {
		return
	}
	c := s.Changes()
	b.count(changeRequests, c.Disconnects, nil, "disconnect")
	b.count(changeRequests, c.CoAs, nil, "coa")
	for _, of := range []struct {
		result string
		n      uint64
	}{
		{"ack", c.ACKs},
		{"nak", c.NAKs},
		{"silent", c.Silent},
		{"incomplete", c.Incomplete},
		{"unknown", c.Unknown},
		{"ambiguous", c.Ambiguous},
		{"mismatched", c.Mismatched},
		{"prohibited", c.Prohibited},
		{"unroutable", c.Unroutable},
		{"unusable", c.Unusable},
		{"busy", c.Busy},
	} {
		b.count(changeResults, of.n, nil, of.result)
	}
	b.add(changeInFlight, float64(c.InFlight), nil)
	b.count(changeStops, c.Stops, nil)
}
