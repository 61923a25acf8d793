package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Numbers of the DNIS map are texts, however YAML would read them.
func TestDNISNumbers(t *testing.T) {
	c := mustParse(t, `
radius: {servers: [{name: r, address: 192.0.2.7, secret: s}]}
accounting:
  dnis-map:
    enable: true
    numbers:
      0049: {record: none}
      +49: {record: none}
      0x10: {record: none}
      1e3: {record: none}
      1_000: {record: none}
      1.50: {record: none}
      ~: {record: none}
      true: {record: none}
      "*31#": {record: none}
      sip:7777@isp.example: {record: start-stop, methods: [group radius]}
`, ".")
	var got []string
	for _, n := range c.Policy.DNIS {
		got = append(got, n.Number)
	}
	want := []string{"*31#", "+49", "0049", "0x10", "1.50", "1_000", "1e3", "sip:7777@isp.example", "true", "~"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
