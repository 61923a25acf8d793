package main

import (
	"fmt"

	"github.com/gosnmp/gosnmp"
)

// The user of SNMPv3 that every responder of the comparison knows: HMAC-96-SHA and AES-128, which net-snmp and
// gosnmp have both had for long, with one password for authentication and privacy.
const (
	secureUser     = "bench"
	securePassword = "bench-password"
)

// asUser are the arguments with which net-snmp's programs ask as the user.
var asUser = []string{
	"-v3", "-l", "authPriv", "-u", secureUser,
	"-a", "SHA", "-A", securePassword, "-x", "AES", "-X", securePassword,
}

// newSecureSNMP is newSNMP for the user.
func newSecureSNMP(port uint16) *gosnmp.GoSNMP {
	snmp := newSNMP(port)
	snmp.Version, snmp.Community = gosnmp.Version3, ""
	snmp.SecurityModel, snmp.MsgFlags = gosnmp.UserSecurityModel, gosnmp.AuthPriv
	snmp.SecurityParameters = &gosnmp.UsmSecurityParameters{
		UserName:               secureUser,
		AuthenticationProtocol: gosnmp.SHA, AuthenticationPassphrase: securePassword,
		PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: securePassword,
	}
	return snmp
}

// discover asks for one cell: the engine is found and the keys are made then, which is no part of a rate.
func discover(snmp *gosnmp.GoSNMP) error {
	name := fmt.Sprintf("%s.%d.1", casnEntry, firstColumn)
	answer, err := snmp.Get([]string{name})
	if err == nil && !hasValue(answer) {
		err = fmt.Errorf("no value at %s", name)
	}
	return err
}
