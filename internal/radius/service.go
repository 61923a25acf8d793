package radius

import (
	"iter"
	"strings"
)

// Vendor attributes of Cisco.
const (
	ciscoVendor      = 9
	ciscoAVPair      = Type(1)
	ciscoServiceInfo = Type(251) // Cisco-Service-Info, which IOS calls ssg-service-info
)

// Service returns what the accounting packets of a Cisco SSG or ISG say of a service of a
// subscriber. The name is in a Cisco-Service-Info that begins with N, "Nisp.example". parent is the
// Acct-Session-Id of the subscriber's own session, in the Cisco-AVPair "parent-session-id=..."; SSG
// sends none. For a session that is not a service, name and parent are "".
func (a Attributes) Service() (name, parent string) {
	for t, v := range a.cisco() {
		switch kind, text := serviceInfo(t, v); {
		case kind == 'N' && name == "":
			name = text
		case kind == 'P' && parent == "":
			parent = text
		}
	}
	if name == "" {
		return "", ""
	}
	return name, parent
}

// VRRS returns the Cisco-AVPair "vrrs..." of an Accounting-On or -Off, "" if there is none. It names a
// group of the Virtual Router Redundancy Service: the NAS became the master of the group, or no longer
// is, and did not restart.
func (a Attributes) VRRS() string {
	for t, v := range a.cisco() {
		if t == ciscoAVPair && len(v) >= len("vrrs") && strings.EqualFold(v[:len("vrrs")], "vrrs") {
			return v
		}
	}
	return ""
}

// AVPairs returns the names and values of the Cisco-AVPairs, priv-lvl and 15 of "priv-lvl=15". Those
// without an equals sign are left out.
func (a Attributes) AVPairs() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for t, v := range a.cisco() {
			if name, value, ok := strings.Cut(v, "="); t == ciscoAVPair && ok && !yield(name, value) {
				return
			}
		}
	}
}

// MaxAVPair is the most octets of a Cisco-AVPair: name, equals sign and value (RFC 2865 section 5.26).
const MaxAVPair = 247

// AppendAVPair appends a Cisco-AVPair to b. It must have at most MaxAVPair octets.
func AppendAVPair(b []byte, name, value string) []byte {
	return AppendAttribute(b, VendorSpecific, joinVendors(ciscoVendor, byte(ciscoAVPair), name+"="+value))
}

// cisco returns the vendor attributes of Cisco.
func (a Attributes) cisco() iter.Seq2[Type, string] {
	return func(yield func(Type, string) bool) {
		for t, value := range a.All() {
			if t != VendorSpecific {
				continue
			}
			vendor, inner, ok := splitVendors(value)
			if !ok || vendor != ciscoVendor {
				continue
			}
			for t, v := range inner.All() {
				if !yield(t, v) {
					return
				}
			}
		}
	}
}

// IdentifiesService reports whether the value of a Vendor-Specific identifies a service of a
// subscriber: it has its name, user, type or parent.
func IdentifiesService(value string) bool {
	vendor, inner, ok := splitVendors(value)
	if !ok || vendor != ciscoVendor {
		return false
	}
	for t, v := range inner.All() {
		if kind, _ := serviceInfo(t, v); kind != 0 {
			return true
		}
	}
	return false
}

// serviceInfo returns what an attribute of Cisco tells about a service: N and its name, U and the
// name that its user has there, T and its type, P and the parent session; else 0. Other values of
// Cisco-Service-Info, such as Q for its bandwidth, are part of a service's profile.
func serviceInfo(t Type, value string) (kind byte, text string) {
	switch t {
	case ciscoServiceInfo:
		if len(value) > 1 && strings.IndexByte("NUT", value[0]) >= 0 {
			return value[0], value[1:]
		}
	case ciscoAVPair:
		if parent, ok := strings.CutPrefix(value, "parent-session-id="); ok {
			return 'P', parent
		}
	}
	return 0, ""
}
