package snmp

import (
	"errors"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The counters of SNMP-MPD-MIB that a report can carry (RFC 3412 section 5).
var (
	snmpUnknownPDUHandlers = mib.MustOID("1.3.6.1.6.3.11.2.1.3.0")
	snmpUnknownContexts    = mib.MustOID("1.3.6.1.6.3.12.1.5.0")
)

// verdict is the result of processing a message.
type verdict uint8

const (
	dropped  verdict = iota // no answer
	answered                // the frame holds the answer
	deferred                // a SET: exchange.set must still be called, which may wait for the disk
)

// process handles the message in e.in (RFC 3412 section 7.2, RFC 3584 section 5.2). It counts every
// problem and never fails.
func (e *exchange) process() verdict {
	e.r.counters.inPkts.Add(1)
	e.sender, e.operation = unknown, noOperation
	if e.n > maxDatagram {
		return e.malformed(errCutOff)
	}
	if err := e.msg.Parse(e.in[:e.n]); err != nil {
		if errors.Is(err, wire.ErrVersion) {
			return e.badVersion()
		}
		return e.malformed(err)
	}
	e.jumps = 0
	switch policy := e.r.policy.Load(); e.msg.Version {
	case wire.Version1:
		if policy.HasV1() {
			return e.processCommunity(policy, wire.ModelV1)
		}
	case wire.Version2c:
		return e.processCommunity(policy, wire.ModelV2c)
	case wire.Version3:
		return e.processUSM(policy)
	}
	return e.badVersion()
}

// badVersion counts a message of an undefined version, or of SNMPv1 if no community accepts it.
func (e *exchange) badVersion() verdict {
	e.r.counters.badVersions.Add(1)
	e.logProblem(badVersion, nil, "version", e.msg.Version)
	return dropped
}

var errCutOff = errors.New("larger than the largest UDP datagram (65507 octets)")

// malformed counts a message, or a PDU in it, that cannot be parsed.
func (e *exchange) malformed(err error) verdict {
	e.r.counters.asnParseErrs.Add(1)
	e.logProblem(malformed, nil, "err", err)
	return dropped
}

// processCommunity handles a message of SNMPv1 or SNMPv2c; model belongs to its version.
func (e *exchange) processCommunity(policy *vacm.Policy, model wire.SecurityModel) verdict {
	c := &e.r.counters
	name, known, allowed := policy.Community(model, e.msg.Community, e.from.Addr())
	if !allowed {
		c.badCommunityNames.Add(1)
		e.logProblem(badCommunity, nil, "known", known, "version", e.msg.Version)
		e.authenticationFailed()
		return dropped
	}
	if !e.admit(named) {
		return dropped
	}
	if err := e.parseCommunityPDU(); err != nil {
		return e.malformed(err)
	}
	if !isRequest(e.pdu.Type) {
		c.unknownPDUHandlers.Add(1)
		return dropped
	}
	e.securityName = name
	access, status := policy.Access(model, name, wire.NoAuthNoPriv)
	return e.execute(access, status)
}

// processUSM handles a message of SNMPv3.
func (e *exchange) processUSM(policy *vacm.Policy) verdict {
	c := &e.r.counters
	if e.msg.Model != wire.ModelUSM {
		c.unknownSecurityModels.Add(1)
		return dropped
	}
	if e.msg.Flags&wire.FlagPriv != 0 && e.msg.Flags&wire.FlagAuth == 0 {
		c.invalidMsgs.Add(1)
		return dropped
	}
	scoped, err := e.r.cfg.USM.Incoming(e.in[:e.n], &e.msg, &e.session)
	if err != nil {
		return e.reportFailure(err)
	}
	access, status := policy.Access(wire.ModelUSM, string(e.session.UserName), e.session.Level)
	if !e.admit(e.usmSender(status)) {
		return dropped
	}
	if err := e.scoped.Parse(scoped, e.msg.Flags&wire.FlagPriv != 0); err != nil {
		return e.malformed(err)
	}
	if err := e.pdu.Parse(e.scoped.PDU); err != nil {
		return e.malformed(err)
	}
	if !isRequest(e.pdu.Type) {
		c.unknownPDUHandlers.Add(1)
		// An inform is in the confirmed class too, but this engine does not receive informs.
		return dropped
	}
	if string(e.scoped.ContextEngineID) != string(e.r.cfg.Engine.ID()) {
		return e.report(snmpUnknownPDUHandlers, uint32(c.unknownPDUHandlers.Add(1)), e.session.Level, e.pdu.RequestID)
	}
	if len(e.scoped.ContextName) > 0 {
		return e.report(snmpUnknownContexts, uint32(c.unknownContexts.Add(1)), e.session.Level, e.pdu.RequestID)
	}
	return e.execute(access, status)
}

// isRequest reports whether a command responder handles PDUs of this type (RFC 3416 section 4.2).
func isRequest(t wire.PDUType) bool {
	switch t {
	case wire.GetRequest, wire.GetNextRequest, wire.GetBulkRequest, wire.SetRequest:
		return true
	}
	return false
}

// reportFailure answers a message that the security model rejected with a report, if the sender may
// receive one (RFC 3412 section 7.1 step 3).
func (e *exchange) reportFailure(err error) verdict {
	failure, ok := errors.AsType[*usm.Failure](err)
	if !ok {
		return e.malformed(err)
	}
	if failure.ReportLevel > wire.NoAuthNoPriv {
		e.sender = proven
	}
	e.logRejected(failure)
	if failure.IsWrongDigest() {
		e.authenticationFailed()
	}
	requestID, confirmed := e.claimed()
	if !confirmed {
		return dropped
	}
	if !e.admitFailure() {
		return dropped
	}
	return e.report(failure.Counter, failure.Value, failure.ReportLevel, requestID)
}

// claimed returns the request-id of an unauthenticated message, and whether its PDU is in the
// confirmed class. The reportable flag counts only if the PDU cannot be read (RFC 3412 section
// 6.4): otherwise a report could answer a report, without end.
func (e *exchange) claimed() (requestID int32, confirmed bool) {
	if e.msg.Flags&wire.FlagPriv == 0 && e.scoped.Parse(e.msg.Data, false) == nil && e.pdu.ParseType(e.scoped.PDU) == nil {
		return e.pdu.RequestID, isRequest(e.pdu.Type) || e.pdu.Type == wire.InformRequest
	}
	return 0, e.msg.Flags&wire.FlagReportable != 0
}

// report answers with the value of a counter.
func (e *exchange) report(counter mib.OID, value uint32, level wire.SecurityLevel, requestID int32) verdict {
	e.frame.Reset()
	e.vb.Name = append(e.vb.Name[:0], counter...)
	e.vb.Value.SetCounter32(uint64(value))
	e.frame.AppendVarbind(&e.vb)
	e.frame.ClosePDU(wire.Report, requestID, 0, 0)
	v := e.secure(level)
	if v == answered && !e.admitAnswer() {
		v = dropped
	}
	if v == answered {
		e.r.counters.reports.Add(1)
	}
	return v
}

// secure puts the headers of SNMPv3 around the PDU in the frame.
func (e *exchange) secure(level wire.SecurityLevel) verdict {
	e.frame.CloseScoped(e.r.cfg.Engine.ID(), nil)
	h := e.header()
	if err := e.r.cfg.USM.Outgoing(&e.frame, &e.session, level, &h); err != nil {
		e.r.counters.silentDrops.Add(1)
		return dropped
	}
	return e.checkSize()
}

// header is msgGlobalData of an answer of SNMPv3.
func (e *exchange) header() wire.HeaderV3 {
	return wire.HeaderV3{ID: e.msg.ID, MaxSize: int32(e.r.cfg.MaxMessageSize), Model: wire.ModelUSM}
}

// checkSize drops an answer that its receiver cannot accept.
func (e *exchange) checkSize() verdict {
	if len(e.frame.Bytes()) > e.maxSize() {
		e.r.counters.silentDrops.Add(1)
		return dropped
	}
	return answered
}

// maxSize returns the maximum size of an answer, in octets.
func (e *exchange) maxSize() int {
	if e.secured() {
		return min(e.r.cfg.MaxMessageSize, int(e.msg.MaxSize))
	}
	return e.r.cfg.MaxMessageSize
}

// authenticationFailed calls Config.AuthenticationFailure.
func (e *exchange) authenticationFailed() {
	if f := e.r.cfg.AuthenticationFailure; f != nil {
		f(e.from)
	}
}

// room returns how many octets of variable bindings fit into an answer, whatever its headers. A few
// more can fit: fits tells exactly.
func (e *exchange) room() int {
	if e.secured() {
		return e.maxSize() - wire.PDUOverhead - e.session.Overhead()
	}
	return e.maxSize() - wire.PDUOverhead - wire.CommunityOverhead - len(e.msg.Community)
}

// fits reports whether an answer with n octets of variable bindings has at most the maximum size.
func (e *exchange) fits(n int, status mib.ErrorStatus, index int) bool {
	return n <= e.room() || e.size(n, status, index) <= e.maxSize()
}

// size returns the size of an answer with n octets of variable bindings.
func (e *exchange) size(n int, status mib.ErrorStatus, index int) int {
	pdu := wire.PDUSize(n, e.pdu.RequestID, int32(status), int32(index))
	if e.secured() {
		h := e.header()
		return e.session.Size(pdu, &h)
	}
	return wire.CommunitySize(pdu, len(e.msg.Community))
}

// finishPDU closes the answer and puts the message headers around it.
func (e *exchange) finishPDU(status mib.ErrorStatus, index int) verdict {
	c := &e.r.counters
	if e.v1() {
		status = v1Status(status)
	}
	e.frame.ClosePDU(wire.Response, e.pdu.RequestID, int32(status), int32(index))
	var v verdict
	if e.secured() {
		v = e.secure(e.session.Level)
	} else {
		e.frame.CloseCommunity(e.msg.Version, e.msg.Community)
		v = e.checkSize()
	}
	if v == answered && !e.admitAnswer() {
		v = dropped
	}
	if v != answered {
		return v
	}
	c.responses.Add(1)
	e.trace(status)
	e.countStatus(status)
	switch status {
	case tooBig:
		c.tooBigs.Add(1)
	case noSuchName:
		c.noSuchNames.Add(1)
	case badValue:
		c.badValues.Add(1)
	case mib.GenErr:
		c.genErrs.Add(1)
	}
	return v
}

// execute answers a read request, or checks a SET and defers it.
func (e *exchange) execute(access *vacm.AccessEntry, status vacm.Status) verdict {
	e.begin()
	if status != vacm.Allowed {
		return e.denyAccess()
	}
	view := access.Read
	if e.pdu.Type == wire.SetRequest {
		view = access.Write
	}
	if view == nil {
		return e.denyAccess()
	}
	switch e.pdu.Type {
	case wire.SetRequest:
		return e.admitSet(view)
	case wire.GetBulkRequest:
		return e.getBulk(view)
	}
	if e.v1() {
		return e.getEachV1(view)
	}
	return e.getEach(view)
}

// denyAccess answers a request for which the sender has no view (RFC 3413 section 3.2 step 4).
func (e *exchange) denyAccess() verdict {
	e.r.counters.forbidden.Add(1)
	args := []any{"pdu", e.pdu.Type}
	if len(e.pdu.Varbinds) > 0 {
		args = append(args, "object", e.pdu.Varbinds[0].Name.String())
	}
	e.logProblem(notAuthorized, []byte(e.requester().Name), args...)
	if e.v1() {
		return e.denyAccessV1()
	}
	return e.echo(authorizationError, 0)
}
