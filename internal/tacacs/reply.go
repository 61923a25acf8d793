package tacacs

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Status is the status of an accounting REPLY (RFC 8907 section 7.2).
type Status byte

// The statuses. Others are invalid.
const (
	StatusSuccess Status = 0x01 // TAC_PLUS_ACCT_STATUS_SUCCESS: the record is stored
	StatusError   Status = 0x02 // TAC_PLUS_ACCT_STATUS_ERROR: it is not
	// StatusFollow (TAC_PLUS_ACCT_STATUS_FOLLOW): another server shall get the record. RFC 8907
	// section 10.5 deprecates it.
	StatusFollow Status = 0x21
)

// String returns the name of the status in its RFC, or its number.
func (s Status) String() string {
	switch s {
	case StatusSuccess:
		return "SUCCESS"
	case StatusError:
		return "ERROR"
	case StatusFollow:
		return "FOLLOW"
	}
	return fmt.Sprintf("status %d", byte(s))
}

// AcctReply is the body of an accounting REPLY (RFC 8907 section 7.2).
type AcctReply struct {
	Status    Status
	ServerMsg string // for the user, at most 65,535 octets
	Data      string // for the administrator, at most 65,535 octets
}

// replyFixed is the length of the part of a REPLY that is always there.
const replyFixed = 5

// AppendAcctReply appends the body of a reply to b. Its errors are ErrField and ErrTooLarge; then
// it returns b as it was.
func AppendAcctReply(b []byte, r *AcctReply) ([]byte, error) {
	for _, f := range [...]struct{ name, value string }{{"server_msg", r.ServerMsg}, {"data", r.Data}} {
		if len(f.value) > math.MaxUint16 {
			return b, fmt.Errorf("%w: %s has %d octets", ErrField, f.name, len(f.value))
		}
	}
	if replyFixed+len(r.ServerMsg)+len(r.Data) > MaxBody {
		return b, ErrTooLarge
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.ServerMsg)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Data)))
	b = append(b, byte(r.Status))
	b = append(b, r.ServerMsg...)
	return append(b, r.Data...), nil
}

// ParseAcctReply decodes the body of a reply, after Obfuscate. It checks that the lengths add up,
// and nothing else: ErrLengths is the only error.
func ParseAcctReply(b []byte) (AcctReply, error) {
	if len(b) < replyFixed {
		return AcctReply{}, ErrLengths
	}
	msg, data := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
	if replyFixed+msg+data != len(b) {
		return AcctReply{}, ErrLengths
	}
	text := string(b[replyFixed:])
	return AcctReply{Status: Status(b[4]), ServerMsg: text[:msg], Data: text[msg:]}, nil
}
