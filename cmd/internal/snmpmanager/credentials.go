package snmpmanager

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// ErrCredentials is returned when credentials are incomplete, or break a rule of SNMP.
var ErrCredentials = errors.New("invalid credentials")

const (
	// minPassword is the minimum length of a password (RFC 3414 section 11.2).
	minPassword = 8
	// maxCommunity is the longest community that gosnmp encodes: a length of one octet (BER).
	maxCommunity = 127
	// maxUser is the SIZE of a security name (RFC 3411 section 5, SnmpAdminString of usmUserTable).
	maxUser = 32
)

// Credentials are how the manager presents itself: with a User SNMPv3 by its User-based Security Model
// (RFC 3414), else SNMPv2c.
type Credentials struct {
	Community string // of SNMPv2c

	User         string // the security name
	Auth         string // one of AuthProtocols; "" is noAuthNoPriv
	AuthPassword string
	Priv         string // one of PrivProtocols; "" is authNoPriv. Needs Auth
	PrivPassword string
}

// The names are those of the configuration of aaasessd; SHA is HMAC-SHA-96 (RFC 3414), the others are of
// RFC 7860 and RFC 3826. AES-192-C and AES-256-C are those of Cisco devices, which make long keys from
// short ones in another way (draft-reeder-snmpv3-usm-3desede).
var (
	authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
		"SHA": gosnmp.SHA, "SHA-224": gosnmp.SHA224, "SHA-256": gosnmp.SHA256, "SHA-384": gosnmp.SHA384, "SHA-512": gosnmp.SHA512,
	}
	privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
		"AES-128": gosnmp.AES, "AES-192": gosnmp.AES192, "AES-256": gosnmp.AES256, "AES-192-C": gosnmp.AES192C, "AES-256-C": gosnmp.AES256C,
	}
)

// AuthProtocols returns the values of Credentials.Auth.
func AuthProtocols() []string { return slices.Sorted(maps.Keys(authProtocols)) }

// PrivProtocols returns the values of Credentials.Priv.
func PrivProtocols() []string { return slices.Sorted(maps.Keys(privProtocols)) }

// Check returns an error if no agent could accept c. The error has no password.
func (c Credentials) Check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrCredentials, fmt.Sprintf(format, args...))
	}
	if c.User == "" {
		switch {
		case c.Auth != "" || c.Priv != "":
			return bad("an authentication or privacy protocol needs a user (SNMPv3)")
		case c.Community == "":
			return bad("neither a community (SNMPv2c) nor a user (SNMPv3) is given")
		case len(c.Community) > maxCommunity:
			return bad("the community has %d octets, more than %d", len(c.Community), maxCommunity)
		}
		return nil
	}
	switch {
	case c.Community != "":
		return bad("give a community (SNMPv2c) or a user (SNMPv3), not both")
	case len(c.User) > maxUser:
		return bad("the user has %d octets, more than %d", len(c.User), maxUser)
	case c.Auth == "" && c.Priv != "":
		return bad("privacy needs authentication (RFC 3411 section 3.4.3)")
	case c.Auth != "" && authProtocols[c.Auth] == 0:
		return bad("authentication protocol %q: want one of %s", c.Auth, strings.Join(AuthProtocols(), ", "))
	case c.Priv != "" && privProtocols[c.Priv] == 0:
		return bad("privacy protocol %q: want one of %s", c.Priv, strings.Join(PrivProtocols(), ", "))
	case c.Auth != "" && len(c.AuthPassword) < minPassword:
		return bad("the authentication password has %d octets, fewer than %d", len(c.AuthPassword), minPassword)
	case c.Priv != "" && len(c.PrivPassword) < minPassword:
		return bad("the privacy password has %d octets, fewer than %d", len(c.PrivPassword), minPassword)
	}
	return nil
}

// set prepares a client. c is valid.
func (c Credentials) set(snmp *gosnmp.GoSNMP) {
	if c.User == "" {
		snmp.Version, snmp.Community = gosnmp.Version2c, c.Community
		return
	}
	usm := &gosnmp.UsmSecurityParameters{UserName: c.User, AuthenticationProtocol: gosnmp.NoAuth, PrivacyProtocol: gosnmp.NoPriv}
	snmp.Version, snmp.SecurityModel, snmp.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.NoAuthNoPriv
	if c.Auth != "" {
		snmp.MsgFlags = gosnmp.AuthNoPriv
		usm.AuthenticationProtocol, usm.AuthenticationPassphrase = authProtocols[c.Auth], c.AuthPassword
	}
	if c.Priv != "" {
		snmp.MsgFlags = gosnmp.AuthPriv
		usm.PrivacyProtocol, usm.PrivacyPassphrase = privProtocols[c.Priv], c.PrivPassword
	}
	snmp.SecurityParameters = usm
}
