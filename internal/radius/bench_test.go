package radius

import (
	"fmt"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2866"

	"aaasess/internal/radius/captured"
)

// BenchmarkParse authenticates and parses a start of 18 attributes, and looks one of them up, with
// this package and with layeh.com/radius. The package comment has the results.
func BenchmarkParse(b *testing.B) {
	request := AppendHeader(nil, CodeAccountingRequest, 1)
	for t := range Type(17) {
		request = AppendAttribute(request, 1+t, fmt.Sprintf("value %d", t))
	}
	request = AppendUint32(request, AcctStatusType, 1)
	Seal(request, 0, Authenticator{}, captured.Secret)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		var scratch []byte
		for b.Loop() {
			p, err := Parse(request)
			if err != nil {
				b.Fatal(err)
			}
			var ok bool
			if ok, scratch = p.Authentic(Authenticator{}, captured.Secret, scratch); !ok {
				b.Fatal("not authentic")
			}
			attrs := Attributes(p.Attributes())
			if n, has := attrs.Uint32(AcctStatusType); !has || n != 1 {
				b.Fatal("no Acct-Status-Type")
			}
		}
	})
	b.Run("layeh", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !layeh.IsAuthenticRequest(request, []byte(captured.Secret)) {
				b.Fatal("not authentic")
			}
			p, err := layeh.Parse(request, []byte(captured.Secret))
			if err != nil {
				b.Fatal(err)
			}
			if rfc2866.AcctStatusType_Get(p) != rfc2866.AcctStatusType_Value_Start {
				b.Fatal("no Acct-Status-Type")
			}
		}
	})
}

// BenchmarkSigned checks the Message-Authenticator of an Access-Request.
func BenchmarkSigned(b *testing.B) {
	p, err := Parse(captured.Octets(b, captured.GoldenSignedAccess))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var scratch []byte
	for b.Loop() {
		var ok bool
		if ok, scratch = p.Signed(p.Authenticator(), captured.GoldenSecret, scratch); !ok {
			b.Fatal("not authentic")
		}
	}
}
