// Package captured has packets that real peers sent, for tests: hostapd, strongSwan, OpenVPN's radiusplugin and
// radclient. The first lines of each file say what it is, and how it was made. Their secret is [Secret].
package captured

import (
	"bytes"
	"embed"
	"encoding/hex"
	"testing"
)

// Secret is the secret of all packets.
const Secret = "testing123"

//go:embed *.hex disconnect/*.hex
var files embed.FS

// Packet is the packet of a file: lines of hex, comments begin with "#".
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

// Accounting is the names of all Accounting-Requests.
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
