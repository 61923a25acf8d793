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

// Probe is a request that no server has seen, with its answer.
func Probe() (request, answer []byte) {
	attrs := radius.AppendUint32(nil, radius.AcctStatusType, uint32(sessions.Start))
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, "probe-"+rand.Text())
	attrs = radius.AppendAttribute(attrs, radius.NASIPAddress, "\xc0\x00\x02\x02")
	attrs = radius.AppendUint32(attrs, radius.ServiceType, 2)
	request = AppendRequest(nil, 0, attrs)
	return request, AppendResponse(nil, request, nil)
}

// SharedSecret is what everybody shares with everybody in the measurements.
const SharedSecret = "testing123"

// As in peers/load.c: a run of requests goes out from one socket.
const (
	loadSockets = 64
	loadRun     = 16
)

// NAS is a NAS of the measurements.
type NAS struct {
	Addr       netip.Addr // its packets come from; of one that never sends, any
	IP         netip.Addr // NAS-IP-Address
	Identifier string
}

// AccessRouter is the NAS where there is only one.
var AccessRouter = NAS{
	Addr: netip.AddrFrom4([4]byte{192, 0, 2, 1}), IP: netip.AddrFrom4([4]byte{192, 0, 2, 1}), Identifier: "bras-1.isp.example",
}

// StartAttributes are the attributes of the start of session i, as an access router reports it.
func StartAttributes(i int) []byte { return AccessRouter.Attributes(sessions.Start, i) }

// Attributes are those of a start, or of another event of session i, of this NAS.
func (m NAS) Attributes(typ sessions.EventType, i int) []byte {
	mac := fmt.Sprintf("02-00-%02X-%02X-%02X-%02X", i>>24&255, i>>16&255, i>>8&255, i&255)
	a := radius.AppendUint32(nil, radius.AcctStatusType, uint32(typ))
	a = radius.AppendAttribute(a, radius.UserName, fmt.Sprintf(userName, i))
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

// AppendResponse appends the answer to a request, with the attributes that it is to have.
func AppendResponse(b, request, attrs []byte) []byte {
	begin := len(b)
	b = append(radius.AppendHeader(b, radius.CodeAccountingResponse, request[1]), attrs...)
	radius.Seal(b[begin:], 0, radius.Authenticator(request[4:radius.HeaderLen]), SharedSecret)
	return b
}

// loadIdentifier is the identifier of request i. It is unique among 16,384 requests that follow each other for
// its socket, and among 256 for all sockets: some count identifiers by address.
func loadIdentifier(i int) byte { return byte(i + loadRun*(i/(loadRun*loadSockets))) }

// WriteRequests writes the requests 0 to n-1 as peers/load.c takes them: each followed by the authenticator of its
// answer.
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

// CheckRequest tells whether these octets are an Accounting-Request, and gives its attributes.
func CheckRequest(b []byte) (radius.Attributes, bool) {
	p, err := radius.Parse(b)
	if err != nil || p.Code() != radius.CodeAccountingRequest {
		return "", false
	}
	return radius.Attributes(p.Attributes()), true
}

// userName is the User-Name of a numbered request: what a relay passes on as it is (Acct-Session-Id is ours upstream).
const userName = "user%07d@isp.example"

// RequestNumber is the number of a request made by WriteRequests; others have none.
func RequestNumber(attrs radius.Attributes) (int, bool) {
	user, _ := attrs.Get(radius.UserName)
	digits, named := strings.CutPrefix(user, "user")
	digits, ours := strings.CutSuffix(digits, "@isp.example")
	i, err := strconv.ParseUint(digits, 10, 31)
	return int(i), named && ours && err == nil
}
