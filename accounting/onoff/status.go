package onoff

import (
	"fmt"
	"time"
)

// State is the progress of a server group's Accounting-On or -Off (R63, S3 "Oper state").
type State uint8

// The states.
const (
	Unknown     State = iota // nothing was sent yet
	SendAcctOn               // Accounting-On is being sent, until it is answered
	On                       // Accounting-On was answered
	SendAcctOff              // Accounting-Off is being sent, once
	Off                      // Accounting-Off was answered
	OffNoResp                // no server answered the Accounting-Off
)

var states = [...]string{
	Unknown: "unknown", SendAcctOn: "sendAcctOn", On: "on",
	SendAcctOff: "sendAcctOff", Off: "off", OffNoResp: "OffNoResp",
}

// String returns the name of the state in S3.
func (s State) String() string {
	if int(s) < len(states) {
		return states[s]
	}
	return fmt.Sprintf("on-off-state(%d)", uint8(s))
}

// Trigger is the reason why an Accounting-On or -Off was sent (R63, S3 "Trigger").
type Trigger uint8

// The triggers.
const (
	TriggerNone         Trigger = iota // nothing was sent yet
	TriggerStartUp                     // the daemon starts
	TriggerShutDown                    // the daemon ends
	TriggerConfigChange                // the group was added, removed or changed
	TriggerPerform                     // an operator requested it
	TriggerRedundancy                  // nothing was sent: sessions go on over a restart
)

var triggers = [...]string{
	TriggerNone: "none", TriggerStartUp: "startUp", TriggerShutDown: "shutDown",
	TriggerConfigChange: "configChange", TriggerPerform: "perform", TriggerRedundancy: "redundancy",
}

// String returns the name of the trigger; startUp is the name in S3.
func (t Trigger) String() string {
	if int(t) < len(triggers) {
		return triggers[t]
	}
	return fmt.Sprintf("trigger(%d)", uint8(t))
}

// Values of Acct-Terminate-Cause (RFC 2866 section 5.10).
const (
	causeAdminReboot = 7
	causeNASRequest  = 10
)

// cause returns the Acct-Terminate-Cause of an Accounting-Off. The end of the daemon, and an Off by
// hand, are "ending service on the NAS, for example prior to rebooting": Admin-Reboot. NAS-Reboot,
// which hostapd sends, means a crash in the words of the RFC. A change of the configuration reboots
// nothing and resets no port: that is "a non-error reason not otherwise listed", NAS-Request.
func (t Trigger) cause() uint32 {
	switch t {
	case TriggerShutDown, TriggerPerform:
		return causeAdminReboot
	}
	return causeNASRequest
}

// reason returns why accounting was turned on or off, as Cisco's devices tell TACACS+ servers: reload
// when they start, and reconfigure when the configuration turns it on or off. An operator's On or Off
// is a reconfiguration too.
func (t Trigger) reason() string {
	switch t {
	case TriggerStartUp, TriggerShutDown:
		return "reload"
	}
	return "reconfigure"
}

// Status is the Accounting-On/Off of a server group at a moment (S3 "AcctOnOff info").
type Status struct {
	State     State
	SessionID string    // Acct-Session-Id of the On, and of the Off after it; "" before the first On
	Changed   time.Time // when State last changed, or the Sender was created
	Trigger   Trigger
	// AcctOnOffGroup is the acct-on-off-group that the server group controls, or "". S3 shows it in
	// brackets behind the trigger.
	AcctOnOffGroup string
	Server         string // the server that answered the On or Off, "" if none did yet
	Block
}

// Block says whether the records of a server group must wait for its Accounting-On
// (oper-state-change). With the zero value they are sent.
type Block struct {
	// Blocked means that no record may be sent: no Accounting-On was answered yet, or an Off or a
	// forced On was sent since. It is false if a server has got the On and does not accept it.
	Blocked bool
	// NoResponse means that no server answered in a whole round of the present Accounting-On. If
	// Blocked, records with another method may go there; the others wait.
	NoResponse bool
}

// String returns the word of S3 for the operational state.
func (b Block) String() string {
	if b.Blocked {
		return "Blocked"
	}
	return "Not Blocked"
}
