package metrics

import (
	"aaasess/internal/histogram"
	nasradius "aaasess/sessions/radius"
)

// The listeners, as values of the label.
const (
	accountingListener     = "accounting"
	authenticationListener = "authentication"
	dynAuthListener        = "dynamic-authorization"
)

var (
	requests       = counter("listener_requests_total", "Datagrams received, by listener and by client: a NAS of radius.clients, or a server of radius.dynamic-authorization.", "listener", "client")
	responses      = counter("listener_responses_total", "Answers sent, with those to copies and to Status-Servers.", "listener", "client")
	results        = counter("listener_results_total", "Answers sent, by what they say: accept, reject or challenge; ack or nak.", "listener", "client", "result")
	duplicates     = counter("listener_duplicates_total", "Identical datagrams: answered again, or ignored while the first one is in flight.", "listener", "client")
	discarded      = counter("listener_discarded_total", "Requests that were not answered, by reason: malformed, bad_authenticator (mostly a wrong secret), unsigned (no Message-Authenticator), stale (Event-Timestamp) or refused (nothing could be stored, or no server answered).", "listener", "client", "reason")
	unsent         = counter("listener_responses_dropped_total", "Answers that could not be sent.", "listener", "client")
	statusServers  = counter("listener_status_servers_total", "Valid Status-Servers.", "listener", "client")
	leftOut        = counter("listener_attributes_left_out_total", "Accounting-Requests that were accepted without an attribute whose length is wrong.", "client")
	unknownClients = counter("listener_unknown_clients_total", "Datagrams from an address of no client.", "listener")
	answerSeconds  = durations("listener_answer_seconds", "Time from the arrival of a request to its first answer. For accounting it contains the disk, for authentication the server. Requests without an answer are not in it.", "listener", "client")
)

// listenerCounters are the counters of a client that all listeners have.
type listenerCounters struct {
	Requests, Responses, Duplicates, Malformed, BadAuthenticators, Refused, Dropped uint64
}

func (b *builder) addListeners(s *Sources) {
	if s.Accounting != nil {
		b.addAccounting(s.Accounting())
	}
	if s.Authentication != nil {
		b.addAuthentication(s.Authentication())
	}
	if s.DynAuth != nil {
		b.addDynAuth(s.DynAuth())
	}
}

func (b *builder) addAccounting(stats nasradius.Stats, times []nasradius.AnswerTime) {
	b.count(unknownClients, stats.UnknownClients, nil, accountingListener)
	for i, c := range stats.Clients {
		shared := requests.of(accountingListener, clientName(c.Name, c.Prefix))
		b.addClient(shared, listenerCounters{c.Requests, c.Responses, c.Duplicates, c.Malformed, c.BadAuthenticators, c.Refused, c.Dropped}, timeOf(times, i, c.Prefix))
		b.count(statusServers, c.StatusServers, shared)
		b.count(leftOut, c.LeftOut, nil, clientName(c.Name, c.Prefix))
	}
}

func (b *builder) addAuthentication(stats nasradius.AuthStats, times []nasradius.AnswerTime) {
	b.count(unknownClients, stats.UnknownClients, nil, authenticationListener)
	for i, c := range stats.Clients {
		shared := requests.of(authenticationListener, clientName(c.Name, c.Prefix))
		b.addClient(shared, listenerCounters{c.Requests, c.Responses, c.Duplicates, c.Malformed, c.BadAuthenticators, c.Refused, c.Dropped}, timeOf(times, i, c.Prefix))
		b.count(statusServers, c.StatusServers, shared)
		b.count(discarded, c.Unsigned, shared, "unsigned")
		b.count(results, c.Accepts, shared, "accept")
		b.count(results, c.Rejects, shared, "reject")
		b.count(results, c.Challenges, shared, "challenge")
	}
}

// addDynAuth adds the servers that may end sessions. The listener counts each address of a server; the
// metrics have one name for all.
func (b *builder) addDynAuth(stats nasradius.ChangeStats, times []nasradius.AnswerTime) {
	b.count(unknownClients, stats.UnknownClients, nil, dynAuthListener)
	byName := map[string]int{}
	var servers []nasradius.ChangeServerCounters
	var waited []histogram.Snapshot
	for i, c := range stats.Servers {
		at, known := byName[c.Name]
		if !known {
			byName[c.Name] = len(servers)
			servers, waited = append(servers, c), append(waited, timeOf(times, i, c.Prefix))
			continue
		}
		servers[at].ChangeCounters = sumOf(servers[at].ChangeCounters, c.ChangeCounters)
		waited[at] = waited[at].Plus(timeOf(times, i, c.Prefix))
	}
	for i, c := range servers {
		shared := requests.of(dynAuthListener, clientName(c.Name, c.Prefix))
		b.addClient(shared, listenerCounters{c.Requests, c.Responses, c.Duplicates, c.Malformed, c.BadAuthenticators, c.Refused, c.Dropped}, waited[i])
		b.count(discarded, c.Stale, shared, "stale")
		b.count(results, c.ACKs, shared, "ack")
		b.count(results, c.NAKs, shared, "nak")
	}
}

func sumOf(a, b nasradius.ChangeCounters) nasradius.ChangeCounters {
	return nasradius.ChangeCounters{
		Requests: a.Requests + b.Requests, Responses: a.Responses + b.Responses, ACKs: a.ACKs + b.ACKs, NAKs: a.NAKs + b.NAKs,
		Duplicates: a.Duplicates + b.Duplicates, Malformed: a.Malformed + b.Malformed, BadAuthenticators: a.BadAuthenticators + b.BadAuthenticators,
		Stale: a.Stale + b.Stale, Refused: a.Refused + b.Refused, Dropped: a.Dropped + b.Dropped,
	}
}

func (b *builder) addClient(shared values, c listenerCounters, waited histogram.Snapshot) {
	b.count(requests, c.Requests, shared)
	b.count(responses, c.Responses, shared)
	b.count(duplicates, c.Duplicates, shared)
	b.count(discarded, c.Malformed, shared, "malformed")
	b.count(discarded, c.BadAuthenticators, shared, "bad_authenticator")
	b.count(discarded, c.Refused, shared, "refused")
	b.count(unsent, c.Dropped, shared)
	if waited.Total > 0 { // a client that is never heard needs no 16 lines of zeros
		b.histogram(answerSeconds, waited, shared)
	}
}

// clientName returns the value of the label client.
func clientName(name, prefix string) string {
	if name == "" {
		return prefix
	}
	return name
}

// timeOf returns the times of the client at a place. Between the reading of the counters and of the
// times, a reload may have changed the clients: then they have none in this scrape.
func timeOf(times []nasradius.AnswerTime, at int, prefix string) histogram.Snapshot {
	if at < len(times) && times[at].Prefix == prefix {
		return times[at].Snapshot
	}
	return histogram.Snapshot{}
}
