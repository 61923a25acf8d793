package tacacstest

import (
	"time"

	"aaasess/internal/tacacs"
)

// Behavior is what a Server does with requests. The zero value stores and acknowledges them, and
// keeps connections for many sessions if the client asks for that.
type Behavior struct {
	// Status is that of the answers; 0 means SUCCESS.
	Status tacacs.Status
	// Handle decides the status of each answer, instead of Status; 0 means no answer. It must not
	// call the Server.
	Handle func(Arrival) tacacs.Status
	// ServerMsg is server_msg of the answers.
	ServerMsg string

	// Silent reads requests and answers nothing.
	Silent bool
	// Stall accepts connections and reads nothing.
	Stall bool
	// Delay is how long an answer waits.
	Delay time.Duration
	// Batch is how many requests of a connection are answered at once, the last first. 0 means 1.
	Batch int

	// OneSession refuses to keep connections: answers have no FlagSingleConnect, and the connection
	// is closed after the first.
	OneSession bool
	// CloseAfter closes a connection after so many answers, whatever was agreed. 0 means never.
	CloseAfter int
	// Cut sends only so many octets of an answer, and closes the connection. 0 means all.
	Cut int

	// Garbage is sent instead of an answer.
	Garbage []byte
	// OtherSession answers with another session_id.
	OtherSession bool
	// Key obfuscates the answers, if it is not empty: one that the client does not have.
	Key tacacs.Key
	// Unencrypted sends answers that are not obfuscated, with FlagUnencrypted.
	Unencrypted bool
}

// acknowledges reports whether an answer with this status tells the client that the record is
// stored.
func (b *Behavior) acknowledges(s tacacs.Status) bool {
	return s == tacacs.StatusSuccess && b.Garbage == nil && !b.OtherSession && b.Key == "" && !b.Unencrypted && b.Cut == 0
}

// status returns the status of the answer to a request, or 0 for no answer.
func (b *Behavior) status(a Arrival) tacacs.Status {
	switch {
	case b.Silent:
		return 0
	case b.Handle != nil:
		return b.Handle(a)
	case b.Status != 0:
		return b.Status
	}
	return tacacs.StatusSuccess
}

// answer encodes the answer to a request; key is the right one.
func (b *Behavior) answer(h tacacs.Header, s tacacs.Status, key tacacs.Key, single bool) ([]byte, error) {
	if b.Garbage != nil {
		return b.Garbage, nil
	}
	body, err := tacacs.AppendAcctReply(nil, &tacacs.AcctReply{Status: s, ServerMsg: b.ServerMsg})
	if err != nil {
		return nil, err
	}
	h.Seq, h.Flags, h.Length = h.Seq+1, 0, uint32(len(body))
	if single {
		h.Flags |= tacacs.FlagSingleConnect
	}
	if b.OtherSession {
		h.Session++
	}
	if b.Key != "" {
		key = b.Key
	}
	if b.Unencrypted {
		h.Flags |= tacacs.FlagUnencrypted
	} else {
		tacacs.Obfuscate(body, h, key)
	}
	packet := append(tacacs.AppendHeader(nil, h), body...)
	if b.Cut > 0 {
		packet = packet[:min(b.Cut, len(packet))]
	}
	return packet, nil
}
