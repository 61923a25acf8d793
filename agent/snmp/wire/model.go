package wire

import (
	"fmt"
	"strconv"
)

// Version is msgVersion (RFC 3412 section 6, RFC 1901).
type Version int32

// The versions of SNMP.
const (
	Version1  Version = 0
	Version2c Version = 1
	Version3  Version = 3
)

// String returns v1, v2c or v3.
func (v Version) String() string {
	switch v {
	case Version1:
		return "v1"
	case Version2c:
		return "v2c"
	case Version3:
		return "v3"
	}
	return "Version(" + strconv.Itoa(int(v)) + ")"
}

// UnmarshalText parses v1, v2c or v3.
func (v *Version) UnmarshalText(text []byte) error {
	for _, known := range []Version{Version1, Version2c, Version3} {
		if known.String() == string(text) {
			*v = known
			return nil
		}
	}
	return fmt.Errorf("wire: %q is no version of SNMP", text)
}

// SecurityLevel is SnmpSecurityLevel (RFC 3411 section 5). A higher level has a greater number.
type SecurityLevel uint8

// The security levels.
const (
	NoAuthNoPriv SecurityLevel = 1
	AuthNoPriv   SecurityLevel = 2
	AuthPriv     SecurityLevel = 3
)

// String returns the name as RFC 3411 writes it.
func (l SecurityLevel) String() string {
	switch l {
	case NoAuthNoPriv:
		return "noAuthNoPriv"
	case AuthNoPriv:
		return "authNoPriv"
	case AuthPriv:
		return "authPriv"
	}
	return "SecurityLevel(" + strconv.Itoa(int(l)) + ")"
}

// UnmarshalText parses the name of one of the three levels.
func (l *SecurityLevel) UnmarshalText(text []byte) error {
	for known := NoAuthNoPriv; known <= AuthPriv; known++ {
		if known.String() == string(text) {
			*l = known
			return nil
		}
	}
	return fmt.Errorf("wire: %q is no security level", text)
}

// SecurityModel is SnmpSecurityModel (RFC 3411 section 5).
type SecurityModel int32

// The security models.
const (
	ModelV1  SecurityModel = 1
	ModelV2c SecurityModel = 2
	ModelUSM SecurityModel = 3
)

// String returns v1, v2c or usm.
func (m SecurityModel) String() string {
	switch m {
	case ModelV1:
		return "v1"
	case ModelV2c:
		return "v2c"
	case ModelUSM:
		return "usm"
	}
	return "SecurityModel(" + strconv.Itoa(int(m)) + ")"
}

// The bits of msgFlags (RFC 3412 section 6.4). The other five are reserved.
const (
	FlagAuth       = 1
	FlagPriv       = 2
	FlagReportable = 4
)

// PDUType is the tag of a PDU (RFC 3416 section 3).
type PDUType uint8

// The PDUs. SNMPv1 has the first five, SNMPv2c and SNMPv3 have all but TrapV1.
const (
	GetRequest     PDUType = 0xa0
	GetNextRequest PDUType = 0xa1
	Response       PDUType = 0xa2
	SetRequest     PDUType = 0xa3
	TrapV1         PDUType = 0xa4 // Trap-PDU (RFC 1157 section 4.1.6); only in SNMPv1
	GetBulkRequest PDUType = 0xa5
	InformRequest  PDUType = 0xa6
	SNMPv2Trap     PDUType = 0xa7
	Report         PDUType = 0xa8
)

// String returns the name as RFC 3416 or RFC 1157 writes it, without the suffix "-PDU".
func (t PDUType) String() string {
	switch t {
	case GetRequest:
		return "GetRequest"
	case GetNextRequest:
		return "GetNextRequest"
	case Response:
		return "Response"
	case SetRequest:
		return "SetRequest"
	case TrapV1:
		return "Trap"
	case GetBulkRequest:
		return "GetBulkRequest"
	case InformRequest:
		return "InformRequest"
	case SNMPv2Trap:
		return "SNMPv2-Trap"
	case Report:
		return "Report"
	}
	return "PDUType(0x" + strconv.FormatUint(uint64(t), 16) + ")"
}

// known reports whether t is a PDU of RFC 3416.
func (t PDUType) known() bool {
	return t >= GetRequest && t <= Report && t != TrapV1
}

// isRead reports whether the values in the PDU's variable bindings are meaningless (RFC 3416
// section 4.2.1).
func (t PDUType) isRead() bool {
	return t == GetRequest || t == GetNextRequest || t == GetBulkRequest
}
