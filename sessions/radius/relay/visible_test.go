package relay

import (
	"strings"
	"testing"

	"aaasess/internal/radius"
)

// TestVisible: accounting sees who and where, and neither passwords nor keys.
func TestVisible(t *testing.T) {
	shown := []string{
		attr(radius.UserName, "u"), attr(radius.CallingStationID, "c"), attr(radius.Class, "\x00"), attr(radius.NASPort, "\x00\x00\x00\x01"),
		attr(radius.FramedIPAddress, "\x0a\x00\x00\x01"), attr(radius.ChargeableUserIdentity, "cui"), attr(radius.AcctInterimInterval, "\x00\x00\x00\x3c"),
		vsa(9, 1, "av=pair"), vsa(311, 18, "MSRASV5.20"), attr(radius.VendorSpecific, "odd"), attr(251, "x"),
	}
	hidden := []string{
		attr(radius.UserPassword, strings.Repeat("p", 16)), attr(radius.CHAPPassword, "c"), attr(radius.CHAPChallenge, "c"), attr(radius.State, "s"),
		attr(radius.EAPMessage, "e"), messageAuthenticator, attr(radius.ProxyState, "p"), attr(radius.TunnelPassword, strings.Repeat("t", 19)),
		vsa(311, 1, "response"), vsa(311, 11, "challenge"), vsa(311, 25, "response"), vsa(311, 16, strings.Repeat("k", 18)), vsa(311, 12, strings.Repeat("k", 32)),
		vsa(6527, 122, strings.Repeat("l", 18)),
	}
	var all []string
	for i := range max(len(shown), len(hidden)) {
		if i < len(shown) {
			all = append(all, shown[i])
		}
		if i < len(hidden) {
			all = append(all, hidden[i])
		}
	}
	if got, want := string(visible([]byte(strings.Join(all, "")), radius.Standard(), nil)), strings.Join(shown, ""); got != want {
		t.Errorf("%x, want %x", got, want)
	}
}
