package notify

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

const (
	// DefaultTimeout is what Target.Timeout 0 means.
	DefaultTimeout = 5 * time.Second
	// DefaultRetries is a good value for Target.Retries, that of snmpTargetAddrRetryCount (RFC 3413
	// section 4.1.2).
	DefaultRetries = 3

	maxRetries  = 255 // snmpTargetAddrRetryCount
	maxTimeout  = time.Hour
	minEngineID = 5 // octets of an SnmpEngineID (RFC 3411 section 5)
	maxEngineID = 32
)

// Target is a receiver of notifications.
type Target struct {
	// Name tells targets apart; it is not sent.
	Name string
	// Address is host:port. A name is resolved when there is something to send, and again when a
	// minute has gone by or the receiver does not answer.
	Address string
	// SourceAddress is the local address that messages leave from; the zero Addr lets the system
	// choose. Only receivers of its family can be reached: a literal Address must be of that, and a
	// name is resolved to addresses of that only.
	SourceAddress netip.Addr
	// Version is wire.Version2c or wire.Version3.
	Version wire.Version
	// Inform makes notifications informs: acknowledged, and repeated until they are.
	Inform bool
	// Community is sent with v2c, 1 octet or more.
	Community string
	// User is who sends with v3; the security level follows from its protocols. A localized key is
	// localized to our engine for traps, and to EngineID for informs. Other secrets are turned into
	// keys at once; neither passwords nor, where one engine is known, master keys are kept.
	User usm.User
	// EngineID is snmpEngineID of the receiver, 5..32 octets, for v3 informs. Empty: the receiver is
	// asked. A configured one is safer: see the package comment.
	EngineID []byte
	// Timeout is how long an inform may stay without response before it is sent again, up to an
	// hour. 0 means DefaultTimeout.
	Timeout time.Duration
	// Retries is how often an inform is sent again, 0..255.
	Retries int
}

// check tells what is wrong with a target, besides the secrets.
func (t *Target) check() error {
	switch host, port, err := net.SplitHostPort(t.Address); {
	case t.Name == "":
		return errors.New("no name")
	case err != nil:
		return err
	case host == "":
		return fmt.Errorf("address %q: no host", t.Address)
	case !isPort(port):
		return fmt.Errorf("address %q: port is not 1..65535", t.Address)
	case t.Timeout < 0 || t.Timeout > maxTimeout:
		return fmt.Errorf("timeout %s is not 0..%s", t.Timeout, maxTimeout)
	case t.Retries < 0 || t.Retries > maxRetries:
		return fmt.Errorf("%d retries are not 0..%d", t.Retries, maxRetries)
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
		return fmt.Errorf("source address %s is not one of a host", source)
	}
	host, _, _ := net.SplitHostPort(t.Address) // which check has looked at
	if to, err := netip.ParseAddr(host); err == nil && to.Unmap().Is4() != source.Is4() {
		return fmt.Errorf("source address %s: %s, of the other family, cannot be reached from there", source, to)
	}
	return nil
}

func (t *Target) checkCommunity() error {
	switch {
	case t.Community == "":
		return errors.New("v2c without community")
	case t.User.Name != "":
		return errors.New("v2c has no user")
	case len(t.EngineID) > 0:
		return errors.New("v2c has no engine id")
	}
	return nil
}

func (t *Target) checkUser() error {
	switch n := len(t.EngineID); {
	case t.Community != "":
		return errors.New("v3 has no community")
	case t.User.Name == "" || len(t.User.Name) > wire.MaxUserNameSize:
		return fmt.Errorf("user name of %d octets, 1..%d are allowed", len(t.User.Name), wire.MaxUserNameSize)
	case n > 0 && !t.Inform:
		return errors.New("the engine id of a receiver is for informs; traps are sent with our own")
	case n > 0 && (n < minEngineID || n > maxEngineID):
		return fmt.Errorf("engine id of %d octets, %d..%d are allowed", n, minEngineID, maxEngineID)
	}
	return nil
}

// receiver is a target made ready: checked, with keys in place of passwords. It does not change.
type receiver struct {
	Target // User has localized keys if one engine only will be asked for, else master keys
}

// newReceiver checks a target and turns its passwords into keys. own is our engine id.
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
		at = r.EngineID // none: to be discovered
	}
	secrets := []*usm.Secret{&r.User.AuthSecret, &r.User.PrivSecret}
	for _, s := range secrets {
		if err := toKey(s, t.User.Auth, at); err != nil {
			return nil, err
		}
	}
	if len(at) == 0 {
		at = own // any will do to find out whether all is as it should be
	}
	_, err := r.User.Keys(at)
	return r, err
}

// toKey turns a password into the key at an engine or, if that is not known, into the master key. What
// is wrong with secrets besides is found by usm.
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
		return nil // a localized key already, or nothing, or wrong
	}
	if len(engineID) == 0 {
		*s = usm.Secret{MasterKey: bytes.Clone(ku)}
	} else {
		*s = usm.Secret{LocalizedKey: usm.Localize(a, ku, engineID)}
	}
	return nil
}

// same reports whether two receivers are configured in the same way.
func (r *receiver) same(other *receiver) bool { return reflect.DeepEqual(r, other) }
