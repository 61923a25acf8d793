//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
)

// longPassword has the 128 octets that User-Password may have at most, and passwordUsers is a user
// with it. FreeRADIUS grants a Tunnel-Password for each of two tunnels.
const (
	longPassword  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	passwordUsers = `alice Cleartext-Password := "` + longPassword + `"
	Class = 0x0102feff00,
	Reply-Message = "welcome",
	Tunnel-Password:1 = "of tunnel one",
	Tunnel-Password:2 = "of tunnel two, which is longer than one block of 16"
`
)

// TestRelayPasswords: FreeRADIUS accepts a password by each method that hides it with the secret or
// the authenticator, both of which change on the way. radclient reads the same answer as without the
// relay, also what FreeRADIUS has hidden in it. A wrong password is rejected.
func TestRelayPasswords(t *testing.T) {
	s := startRelay(t, 1, partner.FreeRADIUSOptions{Users: passwordUsers, Sign: true}, keys{})
	login := func(to, secret, attrs string) (answer []string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "request")
		attrs += "\nUser-Name = alice\nProxy-State = 0x0001\nProxy-State = 0x0002\nMessage-Authenticator = 0x00\n"
		if err := os.WriteFile(file, []byte(attrs), 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := s.Try("radclient", "-x", "-f", file, "-r", "3", "-t", "5", to, "auth", secret) // a Reject is a failure
		_, received, _ := strings.Cut(out, "Received ")
		for line := range strings.Lines(received) {
			switch name, _, _ := strings.Cut(strings.TrimSpace(line), " "); name {
			case "Access-Accept", "Access-Reject":
				answer = append(answer, name)
			case "Message-Authenticator":
			default:
				answer = append(answer, strings.TrimSpace(line))
			}
		}
		if len(answer) == 0 {
			t.Fatalf("no answer from %s: %s", to, out)
		}
		return answer
	}
	for name, attrs := range map[string]string{
		"PAP":                        "User-Password = PASSWORD",
		"CHAP":                       "CHAP-Password = PASSWORD",
		"CHAP with a challenge":      "CHAP-Password = PASSWORD\nCHAP-Challenge = 0x0102030405060708090a0b0c0d0e0f1011",
		"MS-CHAP":                    "MS-CHAP-Password = PASSWORD",
		"PAP with much beside it":    "User-Password = PASSWORD" + strings.Repeat("\nReply-Message = 0x"+strings.Repeat("ff", 253), 13),
		"PAP with unknown and empty": "User-Password = PASSWORD\nAttr-26 = 0x00007fff0105aabbcc\nAttr-241 = 0x0102\nAttr-192 = 0x00",
	} {
		right, wrong := strings.ReplaceAll(attrs, "PASSWORD", longPassword), strings.ReplaceAll(attrs, "PASSWORD", "wrong")
		want := login(s.fr.AuthAddr, s.fr.Secret, right)
		if want[0] != "Access-Accept" || !slices.Contains(want, `Tunnel-Password:1 = "of tunnel one"`) || (name == "MS-CHAP") != strings.Contains(fmt.Sprint(want), "MPPE-Keys") {
			t.Fatalf("%s: FreeRADIUS answers %q", name, want)
		}
		if diff := cmp.Diff(want, login(relayAuth, siteSecret, right)); diff != "" {
			t.Errorf("%s: without the relay (-), with it (+):\n%s", name, diff)
		}
		if answer := login(relayAuth, siteSecret, wrong); answer[0] != "Access-Reject" {
			t.Errorf("%s with a wrong password: %q", name, answer)
		}
	}
}
