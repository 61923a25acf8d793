package metrics

import (
	"strings"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
)

var (
	snmpMessages = counter("snmp_messages_total", "SNMP messages that the responder received (in) and sent (out): snmpInPkts and snmpOutPkts.", "direction")
	snmpRequests = counter("snmp_requests_total", "Requests that were carried out, or answered with an error: get, getnext, getbulk or set.", "operation")
	snmpErrors   = counter("snmp_errors_total", "Answers with an error-status, by operation and by the error-status as it was sent. authorizationError: the community or user has no view.", "operation", "status")
	snmpSeconds  = durations("snmp_answer_seconds", "Time from the reading of a request until its answer was sent, by operation. For set it contains the disk. Requests without an answer are not in it.", "operation")
	snmpRefused  = counter("snmp_refused_total", "Messages and requests that were refused, by the counter of the MIBs that has them.", "reason")
	snmpDropped  = counter("snmp_dropped_total", "Valid requests that were not answered, by reason: the limit that they were over, too_big or not_sent.", "reason")

	notifications        = counter("snmp_notifications_total", "Notifications to a target, by what became of them: sent (at least once), acknowledged, timed_out, refused or dropped.", "target", "result")
	notificationsAgain   = counter("snmp_notification_retransmissions_total", "Retransmissions of informs.", "target")
	notificationsWaiting = gauge("snmp_notifications_waiting", "Notifications that wait or are under way.", "target")

	agentxConnected     = gauge("agentx_connected", "Whether the subagent is registered with its master agent.")
	agentxConnects      = counter("agentx_connects_total", "How often the subagent was registered.")
	agentxMalformed     = counter("agentx_malformed_total", "Connections that were ended by octets that are no PDU.")
	agentxPDUs          = counter("agentx_pdus_total", "PDUs from the master agent, by type.", "type")
	agentxErrors        = counter("agentx_errors_total", "Answers to the master agent with an error, by the type of its PDU and by res.error.", "type", "error")
	agentxSeconds       = durations("agentx_answer_seconds", "Time from the reading of a PDU of the master agent until its answer was written, by type. For CommitSet it contains the disk.", "type")
	agentxNotifications = counter("agentx_notifications_total", "Notifications to the master agent: sent (and accepted) or dropped.", "result")
)

func (b *builder) addSNMP(s *Sources) {
	if s.SNMP != nil {
		b.addResponder(s.SNMP())
	}
	if s.SNMPOperations != nil {
		b.addOperations(s.SNMPOperations())
	}
	if s.Notifications != nil {
		for _, t := range s.Notifications() {
			b.addTarget(&t)
		}
	}
	if s.AgentX != nil {
		b.addAgentX(s.AgentX())
	}
	if s.AgentXOperations != nil {
		b.addAgentXOperations(s.AgentXOperations())
	}
}

func (b *builder) addResponder(st snmp.Stats) {
	b.count(snmpMessages, st.InPkts, nil, "in")
	b.count(snmpMessages, st.OutPkts, nil, "out")
	b.count(snmpRequests, st.Gets, nil, "get")
	b.count(snmpRequests, st.GetNexts, nil, "getnext")
	b.count(snmpRequests, st.GetBulks, nil, "getbulk")
	b.count(snmpRequests, st.Sets, nil, "set")
	for _, of := range []struct {
		reason string
		n      uint64
	}{
		{"snmpInBadVersions", st.InBadVersions},
		{"snmpInBadCommunityNames", st.InBadCommunityNames},
		{"snmpInASNParseErrs", st.InASNParseErrs},
		{"snmpUnknownSecurityModels", st.UnknownSecurityModels},
		{"snmpInvalidMsgs", st.InvalidMsgs},
		{"snmpUnknownPDUHandlers", st.UnknownPDUHandlers},
		{"snmpUnknownContexts", st.UnknownContexts},
		{"usmStatsUnsupportedSecLevels", st.USM.UnsupportedSecLevels},
		{"usmStatsNotInTimeWindows", st.USM.NotInTimeWindows},
		{"usmStatsUnknownUserNames", st.USM.UnknownUserNames},
		{"usmStatsUnknownEngineIDs", st.USM.UnknownEngineIDs},
		{"usmStatsWrongDigests", st.USM.WrongDigests},
		{"usmStatsDecryptionErrors", st.USM.DecryptionErrors},
		{"authorizationError", st.Forbidden},
	} {
		b.count(snmpRefused, of.n, nil, of.reason)
	}
	for _, of := range []struct {
		reason string
		n      uint64
	}{
		{"requests", st.OverRequests},
		{"response_octets", st.OverResponseOctets},
		{"total_response_octets", st.OverTotalResponseOctets},
		{"failures", st.OverFailures},
		{"sets", st.OverSets},
		{"too_big", st.SilentDrops},
		{"not_sent", st.SendErrors},
	} {
		b.count(snmpDropped, of.n, nil, of.reason)
	}
}

// addOperations adds errors and times; [addResponder] has the requests. An operation that was never
// answered needs no lines of a histogram.
func (b *builder) addOperations(all []snmp.OperationStats) {
	for _, op := range all {
		shared := snmpErrors.of(op.Name)
		for _, e := range op.Errors {
			b.count(snmpErrors, e.Answers, shared, e.Status.String())
		}
		if op.AnswerTime.Total > 0 {
			b.histogram(snmpSeconds, op.AnswerTime, shared)
		}
	}
}

func (b *builder) addAgentXOperations(all []agentx.OperationStats) {
	for _, op := range all {
		shared := agentxErrors.of(op.Name)
		for _, e := range op.Errors {
			b.count(agentxErrors, e.Answers, shared, e.Name)
		}
		if op.AnswerTime.Total > 0 {
			b.histogram(agentxSeconds, op.AnswerTime, shared)
		}
	}
}

func (b *builder) addTarget(t *notify.TargetStats) {
	shared := notifications.of(t.Name)
	b.count(notifications, t.Sent, shared, "sent")
	b.count(notifications, t.Acknowledged, shared, "acknowledged")
	b.count(notifications, t.TimedOut, shared, "timed_out")
	b.count(notifications, t.Refused, shared, "refused")
	b.count(notifications, t.Dropped, shared, "dropped")
	b.count(notificationsAgain, t.Retransmitted, shared)
	b.add(notificationsWaiting, float64(t.Waiting+t.UnderWay), shared)
}

func (b *builder) addAgentX(st agentx.Stats) {
	b.is(agentxConnected, st.Connected, nil)
	b.count(agentxConnects, st.Connects, nil)
	b.count(agentxMalformed, st.Malformed, nil)
	b.count(agentxNotifications, st.NotifySent, nil, "sent")
	b.count(agentxNotifications, st.NotifyDropped, nil, "dropped")
	for _, t := range []pdu.Type{pdu.TypeGet, pdu.TypeGetNext, pdu.TypeGetBulk, pdu.TypeTestSet, pdu.TypeCommitSet, pdu.TypeUndoSet, pdu.TypeCleanupSet, pdu.TypeResponse} {
		b.count(agentxPDUs, st.Received[t], nil, strings.TrimPrefix(t.String(), "Type"))
	}
}
