package nasload

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Probe returns a new request, which no server has seen, and its answer.
func Probe() (request, answer []byte) {
	attrs := radius.AppendUint32(nil, radius.AcctStatusType, uint32(sessions.Start))
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, "probe-"+rand.Text())
	attrs = radius.AppendAttribute(attrs, radius.NASIPAddress, "\xc0\x00\x02\x02")
	attrs = radius.AppendUint32(attrs, radius.ServiceType, 2)
	request = AppendRequest(nil, 0, attrs)
	return request, AppendResponse(nil, request, nil)
}

// SharedSecret is the secret of all clients and servers in the measurements.
const SharedSecret = "testing123"

// These are also in bench/stand/peers/load.c: loadRun requests in a row are sent from one socket.
const (
	loadSockets = 64
	loadRun     = 16
)

// NAS is a NAS in the measurements.
type NAS struct {
	Addr       netip.Addr // source of its packets
	IP         netip.Addr // NAS-IP-Address
	Identifier string
}

// AccessRouter is the NAS of measurements with one NAS.
var AccessRouter = NAS{
	Addr: netip.AddrFrom4([4]byte{192, 0, 2, 1}), IP: netip.AddrFrom4([4]byte{192, 0, 2, 1}), Identifier: "bras-1.isp.example",
}

// StartAttributes returns the attributes of the start of session i of AccessRouter.
func StartAttributes(i int) []byte { return AccessRouter.Attributes(sessions.Start, i) }

// Attributes returns the attributes of an event of session i of this NAS.
func (m NAS) Attributes(typ sessions.EventType, i int) []byte {
	mac := fmt.Sprintf("02-00-%02X-%02X-%02X-%02X", i>>24&255, i>>16&255, i>>8&255, i&255)
	a := radius.AppendUint32(nil, radius.AcctStatusType, uint32(typ))
	a = radius.AppendAttribute(a, radius.UserName, UserName(i))
	a = radius.AppendAttribute(a, radius.NASIPAddress, string(m.IP.AsSlice()))
	a = radius.AppendUint32(a, radius.NASPort, uint32(i))
	a = radius.AppendUint32(a, radius.ServiceType, 2)    // Framed
	a = radius.AppendUint32(a, radius.FramedProtocol, 1) // PPP
	a = radius.AppendUint32(a, radius.FramedIPAddress, 0x0a000000+uint32(i))
	a = radius.AppendAttribute(a, radius.Class, "0123456789abcdef")
	a = radius.AppendAttribute(a, radius.CallingStationID, mac)
	a = radius.AppendAttribute(a, radius.NASIdentifier, m.Identifier)
	a = radius.AppendAttribute(a, radius.AcctSessionID, fmt.Sprintf("%016X", i))
	a = radius.AppendUint32(a, radius.AcctAuthentic, 1) // RADIUS
	a = radius.AppendUint32(a, radius.EventTimestamp, 1_800_000_000)
	return radius.AppendUint32(a, radius.NASPortType, 15) // Ethernet
}

// AppendRequest appends an Accounting-Request (RFC 2866 section 4.1).
func AppendRequest(b []byte, identifier byte, attrs []byte) []byte {
	begin := len(b)
	b = append(radius.AppendHeader(b, radius.CodeAccountingRequest, identifier), attrs...)
	radius.Seal(b[begin:], 0, radius.Authenticator{}, SharedSecret)
	return b
}

// AppendResponse appends the answer to a request, with these attributes.
func AppendResponse(b, request, attrs []byte) []byte {
	begin := len(b)
	b = append(radius.AppendHeader(b, radius.CodeAccountingResponse, request[1]), attrs...)
	radius.Seal(b[begin:], 0, radius.Authenticator(request[4:radius.HeaderLen]), SharedSecret)
	return b
}

// loadIdentifier returns the identifier of request i. For one socket it is unique among 16,384
// consecutive requests. For all sockets together it is unique among 240, because some servers count
// identifiers by address.
func loadIdentifier(i int) byte { return byte(i + loadRun*(i/(loadRun*loadSockets))) }

// WriteRequests writes the requests 0 to n-1 in the format of bench/stand/peers/load.c: each is
// followed by the authenticator of its answer.
func WriteRequests(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	var b []byte
	for i := range n {
		b = AppendRequest(b[:0], loadIdentifier(i), StartAttributes(i))
		request := len(b)
		b = AppendResponse(b, b[:request], nil)
		b = append(b[:request], b[request+4:request+radius.HeaderLen]...)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// CheckRequest returns the attributes of an Accounting-Request, and false for other octets.
func CheckRequest(b []byte) (radius.Attributes, bool) {
	p, err := radius.Parse(b)
	if err != nil || p.Code() != radius.CodeAccountingRequest {
		return "", false
	}
	return radius.Attributes(p.Attributes()), true
}

// userName is the format of the User-Name of a numbered request. A relay does not change it, unlike
// the Acct-Session-Id, which aaasessd replaces.
const userName = "user%07d@isp.example"

// RequestNumber returns the number of a request made by WriteRequests, and false for others.
func RequestNumber(attrs radius.Attributes) (int, bool) {
	user, _ := attrs.Get(radius.UserName)
	return UserNumber(user)
}

// UserName returns the name of the user of session i.
func UserName(i int) string { return fmt.Sprintf(userName, i) }

// UserNumber returns the number in the name of a user, and false for other names.
func UserNumber(user string) (int, bool) {
	digits, named := strings.CutPrefix(user, "user")
	digits, ours := strings.CutSuffix(digits, "@isp.example")
	i, err := strconv.ParseUint(digits, 10, 31)
	return int(i), named && ours && err == nil
}
