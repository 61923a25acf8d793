package snmp

import (
	"sync/atomic"

	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// counters are what is counted in the path of a message.
type counters struct {
	inPkts, outPkts                                        atomic.Uint64
	badVersions, badCommunityNames                         atomic.Uint64
	asnParseErrs, silentDrops                              atomic.Uint64
	unknownSecurityModels, invalidMsgs, unknownPDUHandlers atomic.Uint64
	unknownContexts                                        atomic.Uint64
	gets, nexts, bulks, sets                               atomic.Uint64
	reqVars, setVars                                       atomic.Uint64
	tooBigs, genErrs                                       atomic.Uint64
	responses, reports                                     atomic.Uint64
	overRequests, overOctets, overFailures, overSets       atomic.Uint64
	sendErrors, forbidden                                  atomic.Uint64
}

// Stats is what a Responder has seen since New. What SNMPv2-MIB and others define of it is under
// their names there; the rest is ours.
type Stats struct {
	snmpmib.Counts
	USM usm.Counts

	Gets, GetNexts, GetBulks, Sets uint64 // requests that were carried out or refused with an error-status
	Reports                        uint64 // sent
	// What was dropped: requests of a source with too many a second, answers to what anybody can forge
	// beyond the octets a second, reports to what is not authentic beyond their number a second, and SETs
	// for which there was no room beside others that wait for the disk.
	OverRequests, OverResponseOctets, OverFailures, OverSets uint64
	SendErrors                                               uint64 // answers that the system did not take
	Forbidden                                                uint64 // requests answered with authorizationError
}

// Stats gives a copy of the statistics.
func (r *Responder) Stats() Stats {
	c := &r.counters
	return Stats{
		Counts: r.counts(), USM: r.cfg.USM.Counts(),
		Gets: c.gets.Load(), GetNexts: c.nexts.Load(), GetBulks: c.bulks.Load(), Sets: c.sets.Load(), Reports: c.reports.Load(),
		OverRequests: c.overRequests.Load(), OverResponseOctets: c.overOctets.Load(),
		OverFailures: c.overFailures.Load(), OverSets: c.overSets.Load(), SendErrors: c.sendErrors.Load(), Forbidden: c.forbidden.Load(),
	}
}

// counts are those that the tree shows.
func (r *Responder) counts() snmpmib.Counts {
	c := &r.counters
	traps := uint64(0)
	if r.cfg.OutTraps != nil {
		traps = r.cfg.OutTraps()
	}
	return snmpmib.Counts{
		OutTraps: traps,
		InPkts:   c.inPkts.Load(), OutPkts: c.outPkts.Load(),
		InBadVersions: c.badVersions.Load(), InBadCommunityNames: c.badCommunityNames.Load(),
		InASNParseErrs: c.asnParseErrs.Load(), SilentDrops: c.silentDrops.Load(),
		UnknownSecurityModels: c.unknownSecurityModels.Load(), InvalidMsgs: c.invalidMsgs.Load(),
		UnknownPDUHandlers: c.unknownPDUHandlers.Load(), UnknownContexts: c.unknownContexts.Load(),
		InGetRequests: c.gets.Load(), InGetNexts: c.nexts.Load(), InSetRequests: c.sets.Load(),
		InTotalReqVars: c.reqVars.Load(), InTotalSetVars: c.setVars.Load(),
		OutTooBigs: c.tooBigs.Load(), OutGenErrs: c.genErrs.Load(), OutGetResponses: c.responses.Load(),
	}
}

// countRequest counts a request by its kind.
func (c *counters) countRequest(t wire.PDUType) {
	switch t {
	case wire.GetRequest:
		c.gets.Add(1)
	case wire.GetNextRequest:
		c.nexts.Add(1)
	case wire.GetBulkRequest:
		c.bulks.Add(1)
	case wire.SetRequest:
		c.sets.Add(1)
	}
}
