package radius

import layeh "layeh.com/radius"

// Code is the code of a packet (RFC 2865 section 3).
type Code uint8

// The codes that are sent or received.
const (
	CodeAccessRequest      = Code(layeh.CodeAccessRequest)      // RFC 2865
	CodeAccessAccept       = Code(layeh.CodeAccessAccept)       // RFC 2865
	CodeAccessReject       = Code(layeh.CodeAccessReject)       // RFC 2865
	CodeAccessChallenge    = Code(layeh.CodeAccessChallenge)    // RFC 2865
	CodeAccountingRequest  = Code(layeh.CodeAccountingRequest)  // RFC 2866
	CodeAccountingResponse = Code(layeh.CodeAccountingResponse) // RFC 2866
	CodeStatusServer       = Code(layeh.CodeStatusServer)       // RFC 5997
	CodeDisconnectRequest  = Code(layeh.CodeDisconnectRequest)  // RFC 5176
	CodeDisconnectACK      = Code(layeh.CodeDisconnectACK)      // RFC 5176
	CodeDisconnectNAK      = Code(layeh.CodeDisconnectNAK)      // RFC 5176
	CodeCoARequest         = Code(layeh.CodeCoARequest)         // RFC 5176
	CodeCoAACK             = Code(layeh.CodeCoAACK)             // RFC 5176
	CodeCoANAK             = Code(layeh.CodeCoANAK)             // RFC 5176
)

// String returns the name of the code in its RFC.
func (c Code) String() string { return layeh.Code(c).String() }
