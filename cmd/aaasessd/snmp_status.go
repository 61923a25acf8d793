package main

import (
	"fmt"
	"net/netip"
	"time"
)

// snmpStatus is the status of the responder in "aaasess show status". Counters have the names of
// their MIB objects, if they have any.
type snmpStatus struct {
	Listen   []netip.AddrPort `json:"listen"`
	EngineID string           `json:"snmpEngineID"`
	Boots    int32            `json:"snmpEngineBoots"`

	Gets     uint64 `json:"getRequests"`
	GetNexts uint64 `json:"getNextRequests"`
	GetBulks uint64 `json:"getBulkRequests"`
	Sets     uint64 `json:"setRequests"`

	Refused       snmpRefused          `json:"refused"`
	Dropped       snmpDropped          `json:"dropped"`
	Notifications []notificationStatus `json:"notifications"`
}

// snmpRefused counts rejected messages by reason.
type snmpRefused struct {
	InBadVersions         uint64 `json:"snmpInBadVersions"`
	InBadCommunityNames   uint64 `json:"snmpInBadCommunityNames"`
	InASNParseErrs        uint64 `json:"snmpInASNParseErrs"`
	UnknownSecurityModels uint64 `json:"snmpUnknownSecurityModels"`
	InvalidMsgs           uint64 `json:"snmpInvalidMsgs"`
	UnknownPDUHandlers    uint64 `json:"snmpUnknownPDUHandlers"`
	UnknownContexts       uint64 `json:"snmpUnknownContexts"`
	UnsupportedSecLevels  uint64 `json:"usmStatsUnsupportedSecLevels"`
	NotInTimeWindows      uint64 `json:"usmStatsNotInTimeWindows"`
	UnknownUserNames      uint64 `json:"usmStatsUnknownUserNames"`
	UnknownEngineIDs      uint64 `json:"usmStatsUnknownEngineIDs"`
	WrongDigests          uint64 `json:"usmStatsWrongDigests"`
	DecryptionErrors      uint64 `json:"usmStatsDecryptionErrors"`
	Forbidden             uint64 `json:"authorizationError"`
}

// snmpDropped counts valid requests that were not answered, by reason.
type snmpDropped struct {
	Requests            uint64 `json:"overRequestLimit"`
	ResponseOctets      uint64 `json:"overResponseOctetLimit"`
	TotalResponseOctets uint64 `json:"overTotalResponseOctetLimit"`
	Failures            uint64 `json:"overFailureLimit"`
	Sets                uint64 `json:"overSetQueue"`
	TooBig              uint64 `json:"snmpSilentDrops"`
	NotSent             uint64 `json:"notSent"`
}

// notificationStatus is the status of one target of notifications.
type notificationStatus struct {
	Name          string `json:"name"`
	Waiting       int    `json:"waiting"`
	UnderWay      int    `json:"underWay"`
	Sent          uint64 `json:"sent"`
	Retransmitted uint64 `json:"retransmitted"`
	Acknowledged  uint64 `json:"acknowledged"`
	TimedOut      uint64 `json:"timedOut"`
	Refused       uint64 `json:"refused"`
	Dropped       uint64 `json:"dropped"`
	EngineID      string `json:"engineID,omitempty"`
	Error         string `json:"lastError,omitempty"`
	ErrorAt       string `json:"lastErrorAt,omitempty"`
}

func (s *snmpEngine) status() any {
	st := s.responder.Stats()
	boots, _ := s.usm.Engine().BootsTime()
	status := snmpStatus{
		Listen: s.responder.Addrs(), EngineID: fmt.Sprintf("%x", s.usm.Engine().ID()), Boots: boots,
		Gets: st.Gets, GetNexts: st.GetNexts, GetBulks: st.GetBulks, Sets: st.Sets,
		Refused: snmpRefused{
			InBadVersions: st.InBadVersions, InBadCommunityNames: st.InBadCommunityNames, InASNParseErrs: st.InASNParseErrs,
			UnknownSecurityModels: st.UnknownSecurityModels, InvalidMsgs: st.InvalidMsgs,
			UnknownPDUHandlers: st.UnknownPDUHandlers, UnknownContexts: st.UnknownContexts,
			UnsupportedSecLevels: st.USM.UnsupportedSecLevels, NotInTimeWindows: st.USM.NotInTimeWindows,
			UnknownUserNames: st.USM.UnknownUserNames, UnknownEngineIDs: st.USM.UnknownEngineIDs,
			WrongDigests: st.USM.WrongDigests, DecryptionErrors: st.USM.DecryptionErrors, Forbidden: st.Forbidden,
		},
		Dropped: snmpDropped{
			Requests: st.OverRequests, ResponseOctets: st.OverResponseOctets,
			TotalResponseOctets: st.OverTotalResponseOctets, Failures: st.OverFailures,
			Sets: st.OverSets, TooBig: st.SilentDrops, NotSent: st.SendErrors,
		},
		Notifications: []notificationStatus{},
	}
	for _, t := range s.notifier.Stats() {
		n := notificationStatus{
			Name: t.Name, Waiting: t.Waiting, UnderWay: t.UnderWay, Sent: t.Sent, Retransmitted: t.Retransmitted,
			Acknowledged: t.Acknowledged, TimedOut: t.TimedOut, Refused: t.Refused, Dropped: t.Dropped,
			EngineID: fmt.Sprintf("%x", t.EngineID),
		}
		if t.LastError != nil {
			n.Error, n.ErrorAt = t.LastError.Error(), t.LastErrorAt.UTC().Format(time.RFC3339)
		}
		status.Notifications = append(status.Notifications, n)
	}
	return status
}
