package notify

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

const (
	// DefaultTimeout is used if Target.Timeout is 0.
	DefaultTimeout = 5 * time.Second
	// DefaultRetries is a good value for Target.Retries: the default of snmpTargetAddrRetryCount
	// (RFC 3413 section 4.1.2).
	DefaultRetries = 3

	maxRetries  = 255 // snmpTargetAddrRetryCount
	maxTimeout  = time.Hour
	minEngineID = 5 // octets of an SnmpEngineID (RFC 3411 section 5)
	maxEngineID = 32
)

// Community is the community of a target. Like a password, it does not print itself.
type Community string

// Format prints "<secret>", whatever the verb.
func (Community) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "<secret>") }

// View is a set of OIDs. Views with the same content are equal by [reflect.DeepEqual].
type View interface {
	Contains(oid mib.OID) bool
}

// Target is a receiver of notifications.
type Target struct {
	// Name identifies the target; it is not sent.
	Name string
	// Address is host:port. A name is resolved when there is something to send, and again after a
	// minute or if the receiver does not answer.
	Address string
	// SourceAddress is the local address that messages leave from. The zero Addr lets the system
	// choose. A literal Address must have the same family, and a name is resolved to addresses of
	// that family only.
	SourceAddress netip.Addr
	// Version is wire.Version2c or wire.Version3.
	Version wire.Version
	// Inform selects informs, which are acknowledged and retransmitted, instead of traps.
	Inform bool
	// Community is sent with v2c; at least 1 octet.
	Community Community
	// User is the sender with v3; its protocols determine the security level. A localized key is
	// for our engine with traps, and for EngineID with informs. Other secrets are converted to keys
	// at once. Passwords are not kept; master keys are kept only for informs without EngineID.
	User usm.User
	// View is the notify view of the user (RFC 3413 section 3.3): a notification goes to the target only if
	// its snmpTrapOID and the variables behind that are in it. nil: all of them are.
	View View
	// EngineID is snmpEngineID of the receiver, 5..32 octets, for v3 informs. If it is empty, it is
	// discovered. A configured id is safer, see the package comment.
	EngineID []byte
	// Timeout is how long an inform waits for a response before it is retransmitted, up to an hour.
	// 0 means DefaultTimeout.
	Timeout time.Duration
	// Retries is how often an inform is retransmitted, 0..255.
	Retries int
}

// check validates a target, except its secrets.
func (t *Target) check() error {
	switch host, port, err := net.SplitHostPort(t.Address); {
	case t.Name == "":
		return errors.New("no name")
	case err != nil:
		return err
	case host == "":
		return fmt.Errorf("address %q: no host", t.Address)
	case !isPort(port):
		return fmt.Errorf("address %q: port is not a number from 1 to 65535", t.Address)
	case t.Timeout < 0 || t.Timeout > maxTimeout:
		return fmt.Errorf("timeout is %s, want 0..%s", t.Timeout, maxTimeout)
	case t.Retries < 0 || t.Retries > maxRetries:
		return fmt.Errorf("retries are %d, want 0..%d", t.Retries, maxRetries)
	}
	if err := t.checkSource(); err != nil {
		return err
	}
	switch t.Version {
	case wire.Version2c:
		return t.checkCommunity()
	case wire.Version3:
		return t.checkUser()
	}
	return fmt.Errorf("version %s is neither v2c nor v3", t.Version)
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func (t *Target) checkSource() error {
	source := t.SourceAddress.Unmap()
	if !source.IsValid() {
		return nil
	}
	if source.IsUnspecified() || source.IsMulticast() {
		return fmt.Errorf("source address %s is not a unicast address", source)
	}
	host, _, _ := net.SplitHostPort(t.Address) // check has validated it
	if to, err := netip.ParseAddr(host); err == nil && to.Unmap().Is4() != source.Is4() {
		return fmt.Errorf("source address %s cannot reach %s: one is IPv4, the other IPv6", source, to)
	}
	return nil
}

func (t *Target) checkCommunity() error {
	switch {
	case t.Community == "":
		return errors.New("v2c needs a community")
	case t.User.Name != "":
		return errors.New("v2c does not use a user")
	case len(t.EngineID) > 0:
		return errors.New("v2c does not use an engine id")
	}
	return nil
}

func (t *Target) checkUser() error {
	switch n := len(t.EngineID); {
	case t.Community != "":
		return errors.New("v3 does not use a community")
	case t.User.Name == "" || len(t.User.Name) > wire.MaxUserNameSize:
		return fmt.Errorf("user name has %d octets, want 1..%d", len(t.User.Name), wire.MaxUserNameSize)
	case n > 0 && !t.Inform:
		return errors.New("a receiver's engine id is only for informs; traps use our own engine id")
	case n > 0 && (n < minEngineID || n > maxEngineID):
		return fmt.Errorf("engine id has %d octets, want %d..%d", n, minEngineID, maxEngineID)
	}
	return nil
}

// receiver is a validated target with keys instead of passwords. It is immutable.
type receiver struct {
	Target // User has localized keys if there is only one possible engine, else master keys
}

// newReceiver checks a target and converts its passwords to keys. own is our engine id.
func newReceiver(t Target, own []byte) (*receiver, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	r := &receiver{t}
	r.EngineID = append([]byte(nil), t.EngineID...)
	r.SourceAddress = t.SourceAddress.Unmap()
	r.Timeout = cmp.Or(t.Timeout, DefaultTimeout)
	if t.Version != wire.Version3 {
		return r, nil
	}
	at := own
	if t.Inform {
		at = r.EngineID // empty: to be discovered
	}
	secrets := []*usm.Secret{&r.User.AuthSecret, &r.User.PrivSecret}
	for _, s := range secrets {
		if err := toKey(s, t.User.Auth, at); err != nil {
			return nil, err
		}
	}
	if len(at) == 0 {
		at = own // any engine id will do for validating the secrets
	}
	_, err := r.User.Keys(at)
	return r, err
}

// toKey converts a password into the key at an engine or, if engineID is empty, into the master
// key. Package usm detects other errors in secrets.
func toKey(s *usm.Secret, a usm.AuthProtocol, engineID []byte) error {
	if len(s.LocalizedKey) > 0 && len(engineID) == 0 {
		return errors.New("a localized key needs the engine id of the receiver")
	}
	ku := s.MasterKey
	switch {
	case a == usm.NoAuth:
		return nil
	case s.Password != "" && len(s.MasterKey) == 0 && len(s.LocalizedKey) == 0:
		var err error
		if ku, err = usm.PasswordToKey(a, []byte(s.Password)); err != nil {
			return err
		}
	case len(s.MasterKey) != a.KeyLen() || s.Password != "" || len(s.LocalizedKey) > 0:
		return nil // already a localized key, or empty, or invalid
	}
	if len(engineID) == 0 {
		*s = usm.Secret{MasterKey: bytes.Clone(ku)}
	} else {
		*s = usm.Secret{LocalizedKey: usm.Localize(a, ku, engineID)}
	}
	return nil
}

// mayGet reports whether a notification is in the view of the target.
func (r *receiver) mayGet(note *notification) bool {
	if r.View == nil {
		return true
	}
	for _, oid := range note.oids {
		if !r.View.Contains(oid) {
			return false
		}
	}
	return true
}

// same reports whether two receivers have the same configuration.
func (r *receiver) same(other *receiver) bool { return reflect.DeepEqual(r, other) }
