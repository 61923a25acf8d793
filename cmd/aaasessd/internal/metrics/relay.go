package metrics

var (
	relayRequests = counter("relay_requests_total", "Access-Requests that the relay got from NASes, without copies.")
	relayResults  = counter("relay_results_total", "Access-Requests by their outcome: accept, reject, challenge; or dropped: no_list, blocked, no_response, busy, unusable, looped, bad_answer, stopped.", "result")
	relayInFlight = gauge("relay_requests_in_flight", "Access-Requests that wait for a server.")
	groupRequests = counter("relay_group_requests_total", "Access-Requests that the relay sent to a server group.", "group")
	groupResults  = counter("relay_group_results_total", "Access-Requests by what the group made of them: answered, silent (no server responded), blocked (an Accounting-On is not answered), skipped (all servers are dead, and the next group got it) or busy.", "group", "result")
	waitingLogins = gauge("logins_waiting", "Access-Accepts whose session has not begun.")
	loginResults  = counter("logins_total", "Access-Accepts by what became of them: joined (a session has what was granted), renewed (a live session), expired (no session followed), ambiguous or forgotten.", "result")
)

func (b *builder) addRelay(s *Sources) {
	if s.Relay == nil {
		return
	}
	r, a := s.Relay()
	b.count(relayRequests, r.Requests, nil)
	for _, of := range []struct {
		result string
		n      uint64
	}{
		{"accept", r.Accepts},
		{"reject", r.Rejects},
		{"challenge", r.Challenges},
		{"no_list", r.NoList},
		{"blocked", r.Blocked},
		{"no_response", r.NoResponse},
		{"busy", r.Busy},
		{"unusable", r.Unusable},
		{"looped", r.Looped},
		{"bad_answer", r.BadAnswers},
		{"stopped", r.Stopped},
	} {
		b.count(relayResults, of.n, nil, of.result)
	}
	b.add(relayInFlight, float64(r.InFlight), nil)
	for _, g := range r.Groups {
		shared := groupResults.of(g.Name)
		b.count(groupRequests, g.Requests, shared)
		b.count(groupResults, g.Answers, shared, "answered")
		b.count(groupResults, g.Silent, shared, "silent")
		b.count(groupResults, g.Blocked, shared, "blocked")
		b.count(groupResults, g.Skipped, shared, "skipped")
		b.count(groupResults, g.Busy, shared, "busy")
	}
	b.add(waitingLogins, float64(a.Waiting), nil)
	b.count(loginResults, a.Joined, nil, "joined")
	b.count(loginResults, a.Renewed, nil, "renewed")
	b.count(loginResults, a.Expired, nil, "expired")
	b.count(loginResults, a.Ambiguous, nil, "ambiguous")
	b.count(loginResults, a.Forgotten, nil, "forgotten")
}
