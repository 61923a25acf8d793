package snmpclient

import (
	"fmt"

	"github.com/gosnmp/gosnmp"
)

// The SNMPv3 user of all responders of the comparison: HMAC-96-SHA and AES-128, which net-snmp and
// gosnmp both support, with one password for authentication and privacy.
const (
	SecureUser     = "bench"
	SecurePassword = "bench-password"
)

// AsUser is the arguments of net-snmp's programs for the user.
var AsUser = []string{
	"-v3", "-l", "authPriv", "-u", SecureUser,
	"-a", "SHA", "-A", SecurePassword, "-x", "AES", "-X", SecurePassword,
}

// NewSecure is [New] with SNMPv3, as the user.
func NewSecure(port uint16) *gosnmp.GoSNMP {
	snmp := New(port)
	snmp.Version, snmp.Community = gosnmp.Version3, ""
	snmp.SecurityModel, snmp.MsgFlags = gosnmp.UserSecurityModel, gosnmp.AuthPriv
	snmp.SecurityParameters = &gosnmp.UsmSecurityParameters{
		UserName:               SecureUser,
		AuthenticationProtocol: gosnmp.SHA, AuthenticationPassphrase: SecurePassword,
		PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: SecurePassword,
	}
	return snmp
}

// discover gets one cell, which makes gosnmp discover the engine and compute the keys before the
// measurement starts.
func discover(snmp *gosnmp.GoSNMP) error {
	name := fmt.Sprintf("%s.%d.1", CasnEntry, FirstColumn)
	answer, err := snmp.Get([]string{name})
	if err == nil && !HasValue(answer) {
		err = fmt.Errorf("no value at %s", name)
	}
	return err
}
