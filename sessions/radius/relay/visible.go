package relay

import (
	"encoding/binary"

	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc5090"

	"aaasess/internal/radius"
)

// typeSet is a set of attribute types.
type typeSet [4]uint64

func setOf(types ...radius.Type) (s typeSet) {
	for _, t := range types {
		s[t/64] |= 1 << (t % 64)
	}
	return s
}

func (s *typeSet) has(t radius.Type) bool { return s[t/64]>>(t%64)&1 != 0 }

// private are attributes that prove who the user is, or belong to one packet or one conversation.
// Accounting has no use for them.
var private = setOf(
	radius.UserPassword, radius.CHAPPassword, radius.CHAPChallenge, radius.State, radius.ProxyState,
	radius.EAPMessage, radius.MessageAuthenticator, radius.TunnelPassword, radius.ReplyMessage,
	radius.Type(rfc2869.ARAPPassword_Type), radius.Type(rfc2869.ARAPChallengeResponse_Type),
	radius.Type(rfc2869.ARAPSecurityData_Type), radius.Type(rfc2869.PasswordRetry_Type),
	radius.Type(rfc5090.DigestResponse_Type), radius.Type(rfc5090.DigestNonce_Type),
	radius.Type(rfc5090.DigestResponseAuth_Type), radius.Type(rfc5090.DigestHA1_Type),
)

const microsoft = 311

// privateMicrosoft are those of Microsoft (RFC 2548 sections 2.1 to 2.4): MS-CHAP, with its changes
// of passwords, and its keys.
var privateMicrosoft = setOf(1, 2, 3, 4, 5, 6, 11, 12, 16, 17, 25, 26, 27)

// visible returns the attributes without private and encrypted ones. scratch is working memory.
func visible(attrs []byte, names *radius.Dictionary, scratch []byte) radius.Attributes {
	scratch = scratch[:0]
	var space [4]radius.HiddenValue
	for rest := attrs; len(rest) > 0; rest = rest[rest[1]:] {
		attr := rest[:rest[1]]
		if t := radius.Type(attr[0]); private.has(t) || t == radius.VendorSpecific && isPrivateMicrosoft(attr) {
			continue
		}
		if hidden, err := names.AppendHidden(space[:0], attr, 0); err == nil && len(hidden) == 0 {
			scratch = append(scratch, attr...)
		}
	}
	return radius.Attributes(scratch)
}

// isPrivateMicrosoft reports whether a Vendor-Specific has an attribute of privateMicrosoft.
func isPrivateMicrosoft(attr []byte) bool {
	if len(attr) < 8 || binary.BigEndian.Uint32(attr[2:]) != microsoft {
		return false
	}
	for rest := attr[6:]; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		if privateMicrosoft.has(radius.Type(rest[0])) {
			return true
		}
	}
	return false
}
