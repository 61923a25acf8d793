package api

import (
	"net/netip"
	"time"
)

// SNMPStatus is the status of the responder, in the section [SNMPSection] of a [Status]. Counters have the names of
// their MIB objects, if they have any.
type SNMPStatus struct {
	Listen   []netip.AddrPort `json:"listen"`
	EngineID string           `json:"snmpEngineID"`
	Boots    int32            `json:"snmpEngineBoots"`

	Gets     uint64 `json:"getRequests"`
	GetNexts uint64 `json:"getNextRequests"`
	GetBulks uint64 `json:"getBulkRequests"`
	Sets     uint64 `json:"setRequests"`

	Refused       SNMPRefused          `json:"refused"`
	Dropped       SNMPDropped          `json:"dropped"`
	Notifications []NotificationStatus `json:"notifications"`

	Users       []SNMPUser      `json:"users"`
	Communities []SNMPCommunity `json:"communities"` // in the order of the configuration
	// Problems are the last messages that were rejected, newest first: at most one a minute for each
	// kind, source and user, as in the log.
	Problems []SNMPProblem `json:"problems"`
}

// SNMPRefused counts rejected messages by reason.
type SNMPRefused struct {
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

// SNMPDropped counts valid requests that were not answered, by reason.
type SNMPDropped struct {
	Requests            uint64 `json:"overRequestLimit"`
	ResponseOctets      uint64 `json:"overResponseOctetLimit"`
	TotalResponseOctets uint64 `json:"overTotalResponseOctetLimit"`
	Failures            uint64 `json:"overFailureLimit"`
	Sets                uint64 `json:"overSetQueue"`
	TooBig              uint64 `json:"snmpSilentDrops"`
	NotSent             uint64 `json:"notSent"`
}

// SNMPUser is a user of SNMPv3.
type SNMPUser struct {
	Name  string `json:"name"`
	Auth  string `json:"auth"` // protocols, "" for none
	Priv  string `json:"priv"`
	Group string `json:"group"` // "" for none
}

// SNMPCommunity is a community without its name, which is a secret.
type SNMPCommunity struct {
	SecurityName string   `json:"securityName"`
	Group        string   `json:"group"` // "" for none
	Versions     []string `json:"versions"`
	From         []string `json:"from"` // sources that may use it; empty: all
}

// SNMPProblem is a message that was rejected.
type SNMPProblem struct {
	At     time.Time `json:"at"`
	From   string    `json:"from"`           // address and port
	User   string    `json:"user,omitempty"` // user or security name
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty"`
}

// NotificationStatus is the status of one target of notifications.
type NotificationStatus struct {
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

// AgentXSection is the name of the section of a [Status] that is an [AgentXStatus]. It is missing if the
// daemon serves no master agent.
const AgentXSection = "agentx"

// AgentXStatus is the status of the connection to the master agent.
type AgentXStatus struct {
	State     string    `json:"state"`            // connected or disconnected
	Reason    string    `json:"reason,omitempty"` // why it is disconnected
	Since     time.Time `json:"since"`            // of the state
	Connects  uint64    `json:"connects"`
	Malformed uint64    `json:"malformed"`
	Error     string    `json:"error,omitempty"` // of the last attempt, while disconnected
}
