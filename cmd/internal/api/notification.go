package api

import "time"

// TestNotificationRequest asks for a test notification. An inform is retransmitted as its target's
// configuration says, whatever Wait is.
type TestNotificationRequest struct {
	// Target is the name of the target that gets it. "": all targets get it, and the master agent.
	Target string `json:"target,omitempty"`
	// Wait is how long to wait for outcomes, more than 0 and at most MaxWait; 0 means
	// DefaultNotificationWait. Notifications without an outcome stay in their queues.
	Wait Seconds `json:"wait,omitempty"`
}

// DefaultNotificationWait is longer than the four attempts of an inform to a target that is configured
// with the default timeout and retries.
const DefaultNotificationWait = 30 * time.Second

// NotificationOutcome is what has become of a test notification at one target. The answer to
// PathTestNotification has one on each line.
type NotificationOutcome struct {
	// Target is the name of the target; "" for the master agent.
	Target string `json:"target"`
	// Via is trap, inform, or agentx for the master agent.
	Via string `json:"via"`
	// Outcome is one of the values below.
	Outcome string `json:"outcome"`
	// Took is the time until then, with that in the queue.
	Took Seconds `json:"took"`
	// Error says why it has failed or still waits; absent if that is not known.
	Error string `json:"error,omitempty"`
}

// The values of NotificationOutcome.Via.
const (
	ViaTrap   = "trap"
	ViaInform = "inform"
	ViaAgentX = "agentx"
)

// The values of NotificationOutcome.Outcome.
const (
	// NotificationSent: the trap was sent. Nothing says whether it arrived.
	NotificationSent = "sent"
	// NotificationAcknowledged: the receiver has acknowledged the inform.
	NotificationAcknowledged = "acknowledged"
	// NotificationAccepted: the master agent has accepted the notification. It sends it to its own
	// targets.
	NotificationAccepted = "accepted"
	// NotificationTimedOut: none of the attempts of an inform was answered.
	NotificationTimedOut = "timedOut"
	// NotificationRefused: the receiver or the master agent answered with an error, the message is too
	// large, or the notify view of the target's user leaves it out.
	NotificationRefused = "refused"
	// NotificationDropped: the queue is full, or the target was removed meanwhile.
	NotificationDropped = "dropped"
	// NotificationWaiting: there was no outcome within the wait. It is sent when that is possible.
	NotificationWaiting = "waiting"
	// NotificationNotConnected: there is no session with the master agent. Nothing was sent.
	NotificationNotConnected = "notConnected"
)

// Good reports whether the notification was sent and, if anybody can acknowledge it, acknowledged.
func (o *NotificationOutcome) Good() bool {
	switch o.Outcome {
	case NotificationSent, NotificationAcknowledged, NotificationAccepted:
		return true
	}
	return false
}
