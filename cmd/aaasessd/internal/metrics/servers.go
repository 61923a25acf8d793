package metrics

import (
	"strconv"

	"aaasess/internal/histogram"
	"aaasess/internal/servers"
)

// The purposes of a server, as values of the label.
const (
	forAccounting     = "accounting"
	forAuthentication = "authentication"
)

var (
	serverInfo     = gauge("server_info", "Always 1. The labels tell where a server of the configuration is. A port is 0 if the server is not used for that.", "protocol", "server", "host", "auth_port", "acct_port")
	serverGroup    = gauge("server_group_info", "Always 1, for each server of a server group. With it, sums by server become sums by group.", "protocol", "server", "group")
	serverUp       = gauge("server_up", "0 if the server is dead: it met the dead-criteria and has not answered since (casState).", "protocol", "server")
	serverSince    = gauge("server_state_timestamp_seconds", "When the server became up or dead, or was first configured, in seconds since 1970.", "protocol", "server")
	serverDeaths   = counter("server_deaths_total", "How often the server became dead (casDeadCount).", "protocol", "server")
	serverDeadTime = counter("server_dead_seconds_total", "How long the server has been dead in total (casTotalDeadTime).", "protocol", "server")

	serverRequests        = counter("server_requests_total", "Requests sent to the server, without retransmissions.", "protocol", "server", "purpose")
	serverRetransmissions = counter("server_retransmissions_total", "Further transmissions of requests to the same server.", "protocol", "server", "purpose")
	serverTimeouts        = counter("server_timeouts_total", "Transmissions without an answer in time.", "protocol", "server", "purpose")
	serverResponses       = counter("server_responses_total", "Packets from the server, valid or not.", "protocol", "server", "purpose")
	serverTransactions    = counter("server_transactions_total", "Requests by how they ended: success (answered) or failure (not answered by the end of the schedule, or TACACS+ status ERROR or FOLLOW).", "protocol", "server", "purpose", "result")
	serverResponseSeconds = durations("server_response_seconds", "Time from a transmission that was made once to its answer in time: its mean is that of casAuthenResponseTime and casAcctResponseTime.", "protocol", "server", "purpose")
	serverSlowest         = gauge("server_response_max_seconds", "The longest time between a transmission and its valid answer.", "protocol", "server", "purpose")
	serverDiscarded       = counter("server_discarded_total", "Packets from the server that answer nothing, by reason: malformed, bad_authenticator (mostly a wrong secret), unknown_type or unexpected (mostly copies).", "protocol", "server", "purpose", "reason")
	serverLate            = counter("server_late_responses_total", "Valid answers to transmissions that had timed out.", "protocol", "server", "purpose")
	serverPending         = gauge("server_pending_requests", "Transmissions that wait for their answer.", "protocol", "server", "purpose")
	serverSendErrors      = counter("server_send_errors_total", "Transmissions that the system could not send, and connections that failed.", "protocol", "server", "purpose")
	serverAnswers         = counter("server_access_responses_total", "Answers to Access-Requests: accept, reject or challenge.", "protocol", "server", "result")
	serverErrors          = counter("server_error_responses_total", "Answers of a TACACS+ server with status ERROR or FOLLOW.", "protocol", "server", "status")
	serverConnections     = counter("server_connections_total", "Connections to a TACACS+ server that were opened.", "protocol", "server")
	serverTests           = counter("server_tests_total", "Active tests of the server, by result.", "protocol", "server", "purpose", "result")
	invalidAddresses      = counter("server_invalid_addresses_total", "Packets from addresses of no server, at the ports that requests to servers are sent from.", "purpose")
)

func (b *builder) addServers(s *Sources) {
	if s.Servers == nil {
		return
	}
	view := s.Servers()
	for i := range view.Entries {
		b.addServer(view, &view.Entries[i])
	}
	b.count(invalidAddresses, view.InvalidAcctAddresses, nil, forAccounting)
	b.count(invalidAddresses, view.InvalidAuthAddresses, nil, forAuthentication)
	for _, g := range s.Groups() {
		for _, name := range g.Servers {
			b.add(serverGroup, 1, nil, g.Protocol.String(), name, g.Name)
		}
	}
}

func (b *builder) addServer(view *servers.View, e *servers.Entry) {
	protocol := e.Protocol.String()
	shared := serverUp.of(protocol, e.Name)
	b.add(serverInfo, 1, shared, e.Host, strconv.Itoa(int(e.AuthPort)), strconv.Itoa(int(e.AcctPort)))
	b.is(serverUp, !e.State.Dead, shared)
	b.add(serverSince, float64(e.State.Since.UnixMilli())/1e3, shared)
	b.count(serverDeaths, e.State.Deaths, shared)
	b.add(serverDeadTime, e.State.TotalDead.Seconds(), shared)
	if e.AcctPort != 0 {
		b.addPurpose(&e.Accounting, serverTests.of(protocol, e.Name, forAccounting))
	}
	if e.Protocol == servers.TACACS {
		b.count(serverErrors, e.Accounting.Errors, shared, "error")
		b.count(serverErrors, e.Accounting.Follows, shared, "follow")
		b.count(serverConnections, e.Accounting.Opened, shared)
		return
	}
	if e.AuthPort != 0 {
		b.addPurpose(&e.Authentication, serverTests.of(protocol, e.Name, forAuthentication))
		b.count(serverAnswers, e.Authentication.Accepts, shared, "accept")
		b.count(serverAnswers, e.Authentication.Rejects, shared, "reject")
		b.count(serverAnswers, e.Authentication.Challenges, shared, "challenge")
	}
}

func (b *builder) addPurpose(st *servers.Stats, shared values) {
	b.count(serverRequests, st.Requests, shared)
	b.count(serverRetransmissions, st.Retransmissions, shared)
	b.count(serverTimeouts, st.Timeouts, shared)
	b.count(serverResponses, st.Responses, shared)
	b.count(serverTransactions, st.Successes, shared, "success")
	b.count(serverTransactions, st.Failures, shared, "failure")
	if st.TimedResponses > 0 { // most of a thousand servers may be unused for this purpose
		b.histogram(serverResponseSeconds, histogram.Snapshot{Bounds: servers.ResponseBounds[:], Counts: st.ResponseTimes[:], Total: st.TimedResponses, Sum: st.ResponseTime}, shared)
	}
	b.add(serverSlowest, st.MaxResponseTime.Seconds(), shared)
	b.count(serverDiscarded, st.MalformedResponses, shared, "malformed")
	b.count(serverDiscarded, st.BadAuthenticators, shared, "bad_authenticator")
	b.count(serverDiscarded, st.UnknownTypes, shared, "unknown_type")
	b.count(serverDiscarded, st.PacketsDropped, shared, "unexpected")
	b.count(serverLate, st.LateResponses, shared)
	b.add(serverPending, float64(st.PendingRequests), shared)
	b.count(serverSendErrors, st.SendErrors, shared)
	if st.Tests > 0 {
		b.count(serverTests, st.Tests-min(st.Tests, st.TestsFailed), shared, "success")
		b.count(serverTests, st.TestsFailed, shared, "failure")
	}
}
