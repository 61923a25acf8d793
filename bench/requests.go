package main

import (
	"bufio"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"aaasess/sessions"
)

// sharedSecret is what everybody shares with everybody in the measurements.
const sharedSecret = "testing123"

// RADIUS, RFC 2865 section 3 and RFC 2866 section 3.
const (
	headerLength        = 20
	authenticatorLength = 16
	accountingRequest   = 4
	accountingResponse  = 5
)

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
	a := sessions.AppendUint32(nil, sessions.AcctStatusType, uint32(typ))
	a = sessions.AppendAttribute(a, sessions.UserName, fmt.Sprintf(userName, i))
	a = sessions.AppendAttribute(a, sessions.NASIPAddress, string(m.ip.AsSlice()))
	a = sessions.AppendUint32(a, sessions.NASPort, uint32(i))
	a = sessions.AppendUint32(a, sessions.ServiceType, 2)    // Framed
	a = sessions.AppendUint32(a, sessions.FramedProtocol, 1) // PPP
	a = sessions.AppendUint32(a, sessions.FramedIPAddress, 0x0a000000+uint32(i))
	a = sessions.AppendAttribute(a, sessions.Class, "0123456789abcdef")
	a = sessions.AppendAttribute(a, sessions.CallingStationID, mac)
	a = sessions.AppendAttribute(a, sessions.NASIdentifier, m.identifier)
	a = sessions.AppendAttribute(a, sessions.AcctSessionID, fmt.Sprintf("%016X", i))
	a = sessions.AppendUint32(a, sessions.AcctAuthentic, 1) // RADIUS
	a = sessions.AppendUint32(a, sessions.EventTimestamp, 1_800_000_000)
	return sessions.AppendUint32(a, sessions.NASPortType, 15) // Ethernet
}

// appendRequest appends an Accounting-Request (RFC 2866 section 3).
func appendRequest(b []byte, identifier byte, attrs []byte) []byte {
	begin := len(b)
	b = append(b, accountingRequest, identifier)
	b = binary.BigEndian.AppendUint16(b, uint16(headerLength+len(attrs)))
	b = append(b, make([]byte, authenticatorLength)...)
	b = append(b, attrs...)
	sum := md5.Sum(append(slices.Clip(b[begin:]), sharedSecret...))
	copy(b[begin+4:], sum[:])
	return b
}

// appendResponse appends the answer to a request, with the attributes that it is to have.
func appendResponse(b, request, attrs []byte) []byte {
	begin := len(b)
	b = append(b, accountingResponse, request[1])
	b = binary.BigEndian.AppendUint16(b, uint16(headerLength+len(attrs)))
	b = append(b, request[4:headerLength]...)
	b = append(b, attrs...)
	// The secret goes behind it for the sum only.
	end := len(b)
	b = append(b, sharedSecret...)
	sum := md5.Sum(b[begin:])
	copy(b[begin+4:], sum[:])
	return b[:end]
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
		b = append(b[:request], b[request+4:request+headerLength]...)
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
func checkRequest(p []byte) (sessions.Attributes, bool) {
	if len(p) < headerLength || p[0] != accountingRequest {
		return "", false
	}
	length := int(binary.BigEndian.Uint16(p[2:]))
	if length < headerLength || length > len(p) || !wellFormed(p[headerLength:length]) {
		return "", false
	}
	return sessions.Attributes(p[headerLength:length]), true
}

// wellFormed tells whether the lengths of attributes add up.
func wellFormed(attrs []byte) bool {
	for len(attrs) > 0 {
		if len(attrs) < 2 || attrs[1] < 2 || int(attrs[1]) > len(attrs) {
			return false
		}
		attrs = attrs[attrs[1]:]
	}
	return true
}

// userName is the User-Name of a numbered request: what a relay passes on as it is (Acct-Session-Id is ours upstream).
const userName = "user%07d@isp.example"

// requestNumber is the number of a request made by writeRequests; others have none.
func requestNumber(attrs sessions.Attributes) (int, bool) {
	user, _ := attrs.Get(sessions.UserName)
	digits, named := strings.CutPrefix(user, "user")
	digits, ours := strings.CutSuffix(digits, "@isp.example")
	i, err := strconv.ParseUint(digits, 10, 31)
	return int(i), named && ours && err == nil
}
