package onoff

import (
	"fmt"
	"time"
)

// State is how far the Accounting-On or -Off of a server group is (R63, S3 "Oper state").
type State uint8

// The states.
const (
	Unknown     State = iota // nothing was sent yet
	SendAcctOn               // Accounting-On is being sent, until it is answered
	On                       // Accounting-On was answered
	SendAcctOff              // Accounting-Off is being sent, once
	Off                      // Accounting-Off was answered
	OffNoResp                // nobody answered the Accounting-Off
)

var states = [...]string{
	Unknown: "unknown", SendAcctOn: "sendAcctOn", On: "on",
	SendAcctOff: "sendAcctOff", Off: "off", OffNoResp: "OffNoResp",
}

// String is the name of the state in S3.
func (s State) String() string {
	if int(s) < len(states) {
		return states[s]
	}
	return fmt.Sprintf("on-off-state(%d)", uint8(s))
}

// Trigger is what made an Accounting-On or -Off be sent (R63, S3 "Trigger").
type Trigger uint8

// The triggers.
const (
	TriggerNone         Trigger = iota // nothing was sent yet
	TriggerStartUp                     // the daemon starts
	TriggerShutDown                    // the daemon ends
	TriggerConfigChange                // the group came, went, or is to be told only now
	TriggerPerform                     // an operator says so
)

var triggers = [...]string{
	TriggerNone: "none", TriggerStartUp: "startUp", TriggerShutDown: "shutDown",
	TriggerConfigChange: "configChange", TriggerPerform: "perform",
}

// String is the name of the trigger; startUp is that of S3.
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

// cause is the Acct-Terminate-Cause of an Accounting-Off. Who ends the daemon, or sends an Off by
// hand, is "ending service on the NAS, for example prior to rebooting": Admin-Reboot. NAS-Reboot,
// which hostapd sends, is a crash by the RFC's words. When only the configuration changes nothing
// reboots and no port is reset: that is "a non-error reason not otherwise listed".
func (t Trigger) cause() uint32 {
	switch t {
	case TriggerShutDown, TriggerPerform:
		return causeAdminReboot
	}
	return causeNASRequest
}

// Status is the Accounting-On/Off of a server group at a moment (S3 "AcctOnOff info").
type Status struct {
	State     State
	SessionID string    // Acct-Session-Id of the On, and of the Off after it; "" before the first one
	Changed   time.Time // when State last changed, or the Sender was made
	Trigger   Trigger
	// AcctOnOffGroup is the acct-on-off-group that the server group controls, or "". S3 shows it in
	// brackets behind the trigger.
	AcctOnOffGroup string
	Server         string // who answered the On or Off, "" if nobody did yet
	Block
}

// Block is whether the records of a server group must wait for its Accounting-On (oper-state-change).
// The zero value lets them go.
type Block struct {
	// Blocked: no record may be sent. No Accounting-On was answered yet, or an Off or a forced On was
	// sent since.
	Blocked bool
	// NoResponse: nobody answered in a whole round of the Accounting-On that is being sent. If Blocked,
	// records that have another method may go there; those that have none wait.
	NoResponse bool
}

// String is the word of S3 for the operational state.
func (b Block) String() string {
	if b.Blocked {
		return "Blocked"
	}
	return "Not Blocked"
}
