package radius

import "fmt"

// Signing says whether the packets of a peer must have a Message-Authenticator (RFC 3579 section
// 3.2). It concerns Access-Requests and their answers. Without one, an attacker between the two
// peers can turn a Reject into an Accept (BlastRADIUS, CVE-2024-3596). A packet with a wrong one is
// always dropped, and so is one with EAP-Message and without Message-Authenticator.
type Signing uint8

// The values of Signing.
const (
	// SigningRequired drops every packet without a Message-Authenticator.
	SigningRequired Signing = iota
	// SigningAuto is SigningRequired from the moment that the peer has shown that it sends
	// Message-Authenticators, see Packet.ShowsSigning. Before that, it drops only an Access-Request
	// that has a Proxy-State: the attack needs one.
	SigningAuto
	// SigningLegacy requires none.
	SigningLegacy
)

var signingNames = [...]string{SigningRequired: "required", SigningAuto: "auto", SigningLegacy: "legacy"}

// String returns the name that the configuration has for s.
func (s Signing) String() string {
	if int(s) < len(signingNames) {
		return signingNames[s]
	}
	return fmt.Sprintf("Signing(%d)", uint8(s))
}

// MarshalText returns the name of s.
func (s Signing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets s to the value with this name.
func (s *Signing) UnmarshalText(text []byte) error {
	for i, name := range signingNames {
		if name == string(text) {
			*s = Signing(i)
			return nil
		}
	}
	return fmt.Errorf("radius: %q is not required, auto or legacy", text)
}

// Requires reports whether p must have a Message-Authenticator. signs is true if a packet of the peer
// has shown that it sends them.
func (s Signing) Requires(p Packet, signs bool) bool {
	switch {
	case s == SigningLegacy:
		return p.Has(EAPMessage)
	case s == SigningAuto && !signs:
		return p.Has(EAPMessage) || p.Code() == CodeAccessRequest && p.Has(ProxyState)
	}
	return true
}

// ShowsSigning reports whether p, whose Message-Authenticator is right, shows that its sender has one
// in every packet. A packet with EAP-Message does not: RFC 3579 section 3.1 demands it there, and many
// NASes send none with passwords.
func (p Packet) ShowsSigning() bool { return p.HasMessageAuthenticator() && !p.Has(EAPMessage) }
