// Package captured has packets of real peers for tests: hostapd, strongSwan, OpenVPN's radiusplugin
// and radclient. The first lines of each file describe the packet and how it was captured. Their
// secret is [Secret].
package captured

import (
	"bytes"
	"embed"
	"encoding/hex"
	"testing"
)

// Secret is the secret of all packets.
const Secret = "testing123"

//go:embed *.hex access/*.hex disconnect/*.hex
var files embed.FS

// Packet returns the packet in a file: lines of hexadecimal digits, with comments that begin with
// "#".
func Packet(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := files.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	var digits []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("#")) {
			digits = append(digits, bytes.TrimSpace(line)...)
		}
	}
	packet := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(packet, digits); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return packet
}

// Accounting returns the names of all Accounting-Requests.
func Accounting(tb testing.TB) []string {
	tb.Helper()
	entries, err := files.ReadDir(".")
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}
