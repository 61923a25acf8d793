package tacacs

import (
	"errors"
	"fmt"
)

// AcctFlags are the flags of an accounting REQUEST (RFC 8907 section 7.1, table 1).
type AcctFlags byte

// The flags of an accounting REQUEST. A watchdog with AcctFlagStart also has the changes since the
// last record; other combinations are invalid.
const (
	AcctFlagStart    AcctFlags = 0x02 // TAC_PLUS_ACCT_FLAG_START
	AcctFlagStop     AcctFlags = 0x04 // TAC_PLUS_ACCT_FLAG_STOP
	AcctFlagWatchdog AcctFlags = 0x08 // TAC_PLUS_ACCT_FLAG_WATCHDOG
)

// The values of authen_method: how the user was authenticated (RFC 8907 section 6.1).
const (
	AuthenMethodNotSet     = 0x00
	AuthenMethodNone       = 0x01
	AuthenMethodKRB5       = 0x02
	AuthenMethodLine       = 0x03
	AuthenMethodEnable     = 0x04
	AuthenMethodLocal      = 0x05
	AuthenMethodTACACSPlus = 0x06
	AuthenMethodGuest      = 0x08
	AuthenMethodRADIUS     = 0x10
	AuthenMethodKRB4       = 0x11
	AuthenMethodRCMD       = 0x20
)

// The values of priv_lvl that have a name (RFC 8907 section 9); the others are between them.
const (
	PrivLvlMin  = 0x00
	PrivLvlUser = 0x01
	PrivLvlRoot = 0x0f
)

// The values of authen_type (RFC 8907 section 5.1; section 6.1 for not set).
const (
	AuthenTypeNotSet   = 0x00
	AuthenTypeASCII    = 0x01
	AuthenTypePAP      = 0x02
	AuthenTypeCHAP     = 0x03
	AuthenTypeMSCHAP   = 0x05
	AuthenTypeMSCHAPV2 = 0x06
)

// The values of authen_service (RFC 8907 section 5.1).
const (
	AuthenServiceNone    = 0x00
	AuthenServiceLogin   = 0x01
	AuthenServiceEnable  = 0x02
	AuthenServicePPP     = 0x03
	AuthenServicePT      = 0x05
	AuthenServiceRCMD    = 0x06
	AuthenServiceX25     = 0x07
	AuthenServiceNASI    = 0x08
	AuthenServiceFWProxy = 0x09
)

// The limits of an accounting REQUEST.
const (
	MaxField = 255 // octets of User, Port, RemAddr and each of Args
	MaxArgs  = 255 // how many Args
)

// AcctRequest is the body of an accounting REQUEST (RFC 8907 section 7.1).
type AcctRequest struct {
	Flags         AcctFlags
	AuthenMethod  byte
	PrivLvl       byte // 0 to 15
	AuthenType    byte
	AuthenService byte
	User          string   // at most 255 octets, as Port and RemAddr
	Port          string   // the client's port, such as "tty10"
	RemAddr       string   // where the user is
	Args          []string // at most 255 of at most 255 octets: "name=value" or "name*value" (section 8)
}

// requestFixed is the length of the part of a REQUEST that is always there.
const requestFixed = 9

// Errors of bodies.
var (
	// ErrLengths is returned when the lengths in a body do not add up to its length: the two peers
	// have different keys (RFC 8907 section 4.5), or the body is none of this type.
	ErrLengths = errors.New("tacacs: the lengths in the body do not add up: a wrong key, or no body of this type")
	// ErrField is returned, wrapped, when a field or the number of arguments does not fit in its
	// length of one octet, or server_msg or data of a REPLY in two.
	ErrField = errors.New("tacacs: too long")
)

// AppendAcctRequest appends the body of a request to b. Its errors are ErrField and ErrTooLarge;
// then it returns b as it was.
func AppendAcctRequest(b []byte, r *AcctRequest) ([]byte, error) {
	length := requestFixed + len(r.Args) + len(r.User) + len(r.Port) + len(r.RemAddr)
	for _, f := range [...]struct{ name, value string }{{"user", r.User}, {"port", r.Port}, {"rem_addr", r.RemAddr}} {
		if len(f.value) > MaxField {
			return b, fmt.Errorf("%w: %s has %d octets", ErrField, f.name, len(f.value))
		}
	}
	if len(r.Args) > MaxArgs {
		return b, fmt.Errorf("%w: %d arguments", ErrField, len(r.Args))
	}
	for i, arg := range r.Args {
		if len(arg) > MaxField {
			return b, fmt.Errorf("%w: argument %d has %d octets", ErrField, i+1, len(arg))
		}
		length += len(arg)
	}
	if length > MaxBody {
		return b, ErrTooLarge
	}
	b = append(b, byte(r.Flags), r.AuthenMethod, r.PrivLvl, r.AuthenType, r.AuthenService,
		byte(len(r.User)), byte(len(r.Port)), byte(len(r.RemAddr)), byte(len(r.Args)))
	for _, arg := range r.Args {
		b = append(b, byte(len(arg)))
	}
	b = append(b, r.User...)
	b = append(b, r.Port...)
	b = append(b, r.RemAddr...)
	for _, arg := range r.Args {
		b = append(b, arg...)
	}
	return b, nil
}

// ParseAcctRequest decodes the body of a request, after Obfuscate. It checks that the lengths add
// up, and nothing else: ErrLengths is the only error.
func ParseAcctRequest(b []byte) (AcctRequest, error) {
	if len(b) < requestFixed {
		return AcctRequest{}, ErrLengths
	}
	user, port, remAddr, args := int(b[5]), int(b[6]), int(b[7]), int(b[8])
	if len(b) < requestFixed+args {
		return AcctRequest{}, ErrLengths
	}
	lengths := b[requestFixed:][:args]
	total := requestFixed + args + user + port + remAddr
	for _, n := range lengths {
		total += int(n)
	}
	if total != len(b) {
		return AcctRequest{}, ErrLengths
	}
	rest := string(b[requestFixed+args:]) // all fields share it
	next := func(n int) (field string) {
		field, rest = rest[:n], rest[n:]
		return field
	}
	r := AcctRequest{
		Flags: AcctFlags(b[0]), AuthenMethod: b[1], PrivLvl: b[2], AuthenType: b[3], AuthenService: b[4],
		User: next(user), Port: next(port), RemAddr: next(remAddr),
	}
	if args > 0 {
		r.Args = make([]string, args)
	}
	for i, n := range lengths {
		r.Args[i] = next(int(n))
	}
	return r, nil
}
