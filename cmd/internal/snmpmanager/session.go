package snmpmanager

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// Objects of CISCO-AAA-SESSION-MIB.
const (
	entry   = ".1.3.6.1.4.1.9.9.150.1.1.3.1" // casnActiveEntry
	ifIndex = ".1.3.6.1.2.1.2.2.1.1."        // IF-MIB, the target of casnNasPort

	columnDisconnect = 5 // casnDisconnect
	truthTrue        = 1 // TruthValue (SNMPv2-TC)
	truthFalse       = 2
)

// maxUserID is the SIZE of casnUserId in octets.
const maxUserID = 255

// Session is a row of casnActiveTable.
type Session struct {
	Host        string     // Target.Name of the agent
	Number      uint32     // casnSessionId
	User        string     // casnUserId: octets of any value
	Address     netip.Addr // casnIpAddr; the zero Addr for none and for 0.0.0.0
	Idle        uint32     // casnIdleTime, seconds
	Terminating bool       // casnDisconnect
	CallTracker uint32     // casnCallTrackerId
	Port        string     // casnNasPort, an OID such as 1.3.6.1.2.1.2.2.1.1.7; "" for 0.0
	PortIfIndex uint32     // the ifIndex that Port names; 0 if it names none
	IfIndex     uint32     // casnVaiIfIndex
}

// columns are the readable columns, by their number, with the function that stores a value.
var columns = []struct {
	sub  int
	name string
	set  func(s *Session, v gosnmp.SnmpPDU) error
}{
	{2, "casnUserId", setUser},
	{3, "casnIpAddr", setAddress},
	{4, "casnIdleTime", func(s *Session, v gosnmp.SnmpPDU) error { return setNumber(&s.Idle, v, math.MaxUint32) }},
	{columnDisconnect, "casnDisconnect", setDisconnect},
	{6, "casnCallTrackerId", func(s *Session, v gosnmp.SnmpPDU) error { return setNumber(&s.CallTracker, v, math.MaxUint32) }},
	{7, "casnNasPort", setPort},
	{8, "casnVaiIfIndex", func(s *Session, v gosnmp.SnmpPDU) error { return setNumber(&s.IfIndex, v, math.MaxInt32) }},
}

// set stores a value of column number i of columns.
func (s *Session) set(i int, v gosnmp.SnmpPDU) error {
	if err := columns[i].set(s, v); err != nil {
		return fmt.Errorf("%w: %s.%d: %w", ErrInvalid, columns[i].name, s.Number, err)
	}
	return nil
}

func setUser(s *Session, v gosnmp.SnmpPDU) error {
	octets, ok := v.Value.([]byte)
	if !ok || v.Type != gosnmp.OctetString {
		return wrongType(v)
	}
	if len(octets) > maxUserID {
		return fmt.Errorf("%d octets, more than %d", len(octets), maxUserID)
	}
	s.User = string(octets)
	return nil
}

func setAddress(s *Session, v gosnmp.SnmpPDU) error {
	text, ok := v.Value.(string)
	if v.Type != gosnmp.IPAddress || v.Value != nil && !ok { // nil: no octets
		return wrongType(v)
	}
	if a, err := netip.ParseAddr(text); err == nil && !a.IsUnspecified() {
		s.Address = a
	}
	return nil
}

func setDisconnect(s *Session, v gosnmp.SnmpPDU) error {
	var n uint32
	if err := setNumber(&n, v, math.MaxInt32); err != nil {
		return err
	}
	if n != truthTrue && n != truthFalse {
		return fmt.Errorf("%d is no TruthValue", n)
	}
	s.Terminating = n == truthTrue
	return nil
}

func setPort(s *Session, v gosnmp.SnmpPDU) error {
	text, ok := v.Value.(string)
	if !ok || v.Type != gosnmp.ObjectIdentifier {
		return wrongType(v)
	}
	if text == ".0.0" || text == "." || text == "" {
		return nil
	}
	s.Port = strings.TrimPrefix(text, ".")
	if index, ok := strings.CutPrefix(text, ifIndex); ok {
		if n, err := strconv.ParseUint(index, 10, 31); err == nil {
			s.PortIfIndex = uint32(n)
		}
	}
	return nil
}

// setNumber stores a number of any of the numeric types: agents differ in them.
func setNumber(field *uint32, v gosnmp.SnmpPDU, most int64) error {
	switch v.Type {
	case gosnmp.Integer, gosnmp.Gauge32, gosnmp.Counter32, gosnmp.Uinteger32, gosnmp.TimeTicks:
	default:
		return wrongType(v)
	}
	n := gosnmp.ToBigInt(v.Value)
	if !n.IsInt64() || n.Int64() < 0 || n.Int64() > most {
		return fmt.Errorf("%v is out of range", n)
	}
	*field = uint32(n.Int64())
	return nil
}

func wrongType(v gosnmp.SnmpPDU) error { return fmt.Errorf("wrong type %v", v.Type) }
