package main

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// sharedSecret is what everybody shares with everybody in the measurements.
const sharedSecret = "testing123"

// As in peers/load.c: a run of requests goes out from one socket.
const (
	loadSockets = 64
	loadRun     = 16
)

// member is a NAS of the measurements.
type member struct {
	addr       netip.Addr // its packets come from; of one that never sends, any
	ip         netip.Addr // NAS-IP-Address
	identifier string
}

// accessRouter is the NAS where there is only one.
var accessRouter = member{
	addr: netip.AddrFrom4([4]byte{192, 0, 2, 1}), ip: netip.AddrFrom4([4]byte{192, 0, 2, 1}), identifier: "bras-1.isp.example",
}

// startAttributes are the attributes of the start of session i, as an access router reports it.
func startAttributes(i int) []byte { return accessRouter.attributes(sessions.Start, i) }

// attributes are those of a start, or of another event of session i, of this NAS.
func (m member) attributes(typ sessions.EventType, i int) []byte {
	mac := fmt.Sprintf("02-00-%02X-%02X-%02X-%02X", i>>24&255, i>>16&255, i>>8&255, i&255)
	a := radius.AppendUint32(nil, radius.AcctStatusType, uint32(typ))
	a = radius.AppendAttribute(a, radius.UserName, fmt.Sprintf(userName, i))
	a = radius.AppendAttribute(a, radius.NASIPAddress, string(m.ip.AsSlice()))
	a = radius.AppendUint32(a, radius.NASPort, uint32(i))
	a = radius.AppendUint32(a, radius.ServiceType, 2)    // Framed
	a = radius.AppendUint32(a, radius.FramedProtocol, 1) // PPP
	a = radius.AppendUint32(a, radius.FramedIPAddress, 0x0a000000+uint32(i))
	a = radius.AppendAttribute(a, radius.Class, "0123456789abcdef")
	a = radius.AppendAttribute(a, radius.CallingStationID, mac)
	a = radius.AppendAttribute(a, radius.NASIdentifier, m.identifier)
	a = radius.AppendAttribute(a, radius.AcctSessionID, fmt.Sprintf("%016X", i))
	a = radius.AppendUint32(a, radius.AcctAuthentic, 1) // RADIUS
	a = radius.AppendUint32(a, radius.EventTimestamp, 1_800_000_000)
	return radius.AppendUint32(a, radius.NASPortType, 15) // Ethernet
}

// appendRequest appends an Accounting-Request (RFC 2866 section 4.1).
func appendRequest(b []byte, identifier byte, attrs []byte) []byte {
	begin := len(b)
	b = append(radius.AppendHeader(b, radius.CodeAccountingRequest, identifier), attrs...)
	radius.Seal(b[begin:], 0, radius.Authenticator{}, sharedSecret)
	return b
}

// appendResponse appends the answer to a request, with the attributes that it is to have.
func appendResponse(b, request, attrs []byte) []byte {
	begin := len(b)
	b = append(radius.AppendHeader(b, radius.CodeAccountingResponse, request[1]), attrs...)
	radius.Seal(b[begin:], 0, radius.Authenticator(request[4:radius.HeaderLen]), sharedSecret)
	return b
}

// loadIdentifier is the identifier of request i. It is unique among 16,384 requests that follow each other for
// its socket, and among 256 for all sockets: some count identifiers by address.
func loadIdentifier(i int) byte { return byte(i + loadRun*(i/(loadRun*loadSockets))) }

// writeRequests writes the requests 0 to n-1 as peers/load.c takes them: each followed by the authenticator of its
// answer.
func writeRequests(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	var b []byte
	for i := range n {
		b = appendRequest(b[:0], loadIdentifier(i), startAttributes(i))
		request := len(b)
		b = appendResponse(b, b[:request], nil)
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

// checkRequest tells whether these octets are an Accounting-Request, and gives its attributes.
func checkRequest(b []byte) (radius.Attributes, bool) {
	p, err := radius.Parse(b)
	if err != nil || p.Code() != radius.CodeAccountingRequest {
		return "", false
	}
	return radius.Attributes(p.Attributes()), true
}

// userName is the User-Name of a numbered request: what a relay passes on as it is (Acct-Session-Id is ours upstream).
const userName = "user%07d@isp.example"

// requestNumber is the number of a request made by writeRequests; others have none.
func requestNumber(attrs radius.Attributes) (int, bool) {
	user, _ := attrs.Get(radius.UserName)
	digits, named := strings.CutPrefix(user, "user")
	digits, ours := strings.CutSuffix(digits, "@isp.example")
	i, err := strconv.ParseUint(digits, 10, 31)
	return int(i), named && ours && err == nil
}
