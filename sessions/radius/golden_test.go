package radius

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// goldenSecret is the secret of all packets in testdata.
const goldenSecret Secret = "testing123"

// goldenPacket reads a packet from testdata: lines of hex, comments begin with "#".
func goldenPacket(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
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
