package radius

import (
	"encoding/hex"
	"strings"
	"testing"
)

// TestAppendUserPassword has the example of RFC 2865 section 7.1.
func TestAppendUserPassword(t *testing.T) {
	request := Authenticator(unhex(t, "0f403f9473978057bd83d5cb98f4227a"))
	for _, tc := range []struct {
		name, password, want string
	}{
		{"example of RFC 2865", "arctangent", "02120dbe708d93d413ce3196e43f782a0aee"},
		{"empty", "", "0212"}, // and the 16 octets that the password is added to
		{"128 octets", strings.Repeat("x", 128), "0282"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := AppendUserPassword(nil, tc.password, "xyzzy5461", request)
			if got := hex.EncodeToString(b); err != nil || !strings.HasPrefix(got, tc.want) || int(b[1]) != len(b) {
				t.Errorf("%s, %v; want %s", got, err, tc.want)
			}
		})
	}
	for name, tc := range map[string]struct {
		password string
		secret   Secret
	}{"129 octets": {strings.Repeat("x", 129), "s"}, "no secret": {"p", ""}} {
		if b, err := AppendUserPassword([]byte{1}, tc.password, tc.secret, request); err == nil || len(b) != 1 {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
