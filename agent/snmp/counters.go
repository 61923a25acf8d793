package snmp

import (
	"sync/atomic"

	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
)

// counters are updated while messages are processed.
type counters struct {
	inPkts, outPkts                                        atomic.Uint64
	badVersions, badCommunityNames                         atomic.Uint64
	asnParseErrs, silentDrops                              atomic.Uint64
	unknownSecurityModels, invalidMsgs, unknownPDUHandlers atomic.Uint64
	unknownContexts                                        atomic.Uint64
	reqVars, setVars                                       atomic.Uint64
	tooBigs, genErrs                                       atomic.Uint64
	noSuchNames, badValues                                 atomic.Uint64 // only in SNMPv1
	responses, reports                                     atomic.Uint64
	overRequests, overFailures, overSets                   atomic.Uint64
	overOctets, overTotalOctets                            atomic.Uint64
	sendErrors, forbidden                                  atomic.Uint64
}

// Stats are the statistics of a Responder since New. Counters that SNMPv2-MIB and other MIBs define
// have their MIB names; the others are specific to this package.
type Stats struct {
	snmpmib.Counts
	USM usm.Counts

	Gets, GetNexts, GetBulks, Sets uint64 // requests carried out or rejected with an error-status
	Reports                        uint64 // reports sent
	// Dropped: requests above the limit of their source, answers above the octet limit for sources
	// that can be forged, answers above the octet limit for all of these together, reports above
	// the limit for unauthenticated messages, and SETs that found the queue full.
	OverRequests, OverResponseOctets, OverTotalResponseOctets, OverFailures, OverSets uint64

	SendErrors uint64 // answers that the system could not send
	Forbidden  uint64 // requests answered with authorizationError
}

// Stats returns a copy of the statistics.
func (r *Responder) Stats() Stats {
	c := &r.counters
	return Stats{
		Counts: r.counts(), USM: r.cfg.USM.Counts(),
		Gets: r.requests(getOperation), GetNexts: r.requests(nextOperation), GetBulks: r.requests(bulkOperation), Sets: r.requests(setOperation),
		Reports:      c.reports.Load(),
		OverRequests: c.overRequests.Load(), OverResponseOctets: c.overOctets.Load(),
		OverTotalResponseOctets: c.overTotalOctets.Load(),
		OverFailures:            c.overFailures.Load(), OverSets: c.overSets.Load(), SendErrors: c.sendErrors.Load(), Forbidden: c.forbidden.Load(),
	}
}

// counts returns the counters that the MIB tree shows.
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
		InGetRequests: r.requests(getOperation), InGetNexts: r.requests(nextOperation), InSetRequests: r.requests(setOperation),
		InTotalReqVars: c.reqVars.Load(), InTotalSetVars: c.setVars.Load(),
		OutNoSuchNames: c.noSuchNames.Load(), OutBadValues: c.badValues.Load(),
		OutTooBigs: c.tooBigs.Load(), OutGenErrs: c.genErrs.Load(), OutGetResponses: c.responses.Load(),
	}
}

func (r *Responder) requests(op operation) uint64 { return r.operations[op].requests.Load() }
