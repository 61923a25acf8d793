package radius

import "aaasess/internal/radius"

// delayAttrLen is the length of Acct-Delay-Time.
const delayAttrLen = 6

// maxAttrs is how many octets of attributes leave room for Acct-Delay-Time.
const maxAttrs = radius.MaxPacket - radius.HeaderLen - delayAttrLen

// appendRequest appends to b, which must be empty, an Accounting-Request (RFC 2866 section 4.1) of
// these attributes and, last, Acct-Delay-Time in seconds. attrs has at most maxAttrs octets.
func appendRequest(b []byte, identifier byte, attrs radius.Attributes, delay uint32, secret radius.Secret) ([]byte, radius.Authenticator) {
	b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
	b = append(b, attrs...)
	b = radius.AppendUint32(b, radius.AcctDelayTime, delay)
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}
