package snmpclient

import (
	"fmt"

	"github.com/gosnmp/gosnmp"
)

// The user of SNMPv3 that every responder of the comparison knows: HMAC-96-SHA and AES-128, which net-snmp and
// gosnmp have both had for long, with one password for authentication and privacy.
const (
	SecureUser     = "bench"
	SecurePassword = "bench-password"
)

// AsUser are the arguments with which net-snmp's programs ask as the user.
var AsUser = []string{
	"-v3", "-l", "authPriv", "-u", SecureUser,
	"-a", "SHA", "-A", SecurePassword, "-x", "AES", "-X", SecurePassword,
}

// NewSecure is New for the user.
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

// discover asks for one cell: the engine is found and the keys are made then, which is no part of a rate.
func discover(snmp *gosnmp.GoSNMP) error {
	name := fmt.Sprintf("%s.%d.1", CasnEntry, FirstColumn)
	answer, err := snmp.Get([]string{name})
	if err == nil && !HasValue(answer) {
		err = fmt.Errorf("no value at %s", name)
	}
	return err
}
