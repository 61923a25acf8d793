package wire

import (
	"testing"

	"pgregory.net/rapid"
)

// TestSizes: each size is that of the message which the Close method makes.
func TestSizes(t *testing.T) {
	octets := rapid.SliceOfN(rapid.Byte(), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(0, 70_000)).Draw(t, "varbinds")
		id, status, index := rapid.Int32().Draw(t, "request-id"), rapid.Int32().Draw(t, "error-status"), rapid.Int32().Draw(t, "error-index")
		var f Frame
		check := func(what string, want int) {
			if f.Len() != want {
				t.Fatalf("%s: %d octets, want %d", what, want, f.Len())
			}
		}
		f.Reset()
		f.AppendRaw(make([]byte, n))
		f.ClosePDU(Response, id, status, index)
		check("PDUSize", PDUSize(n, id, status, index))
		pdu := f.Len()

		community := octets.Draw(t, "community")
		f.CloseCommunity(rapid.SampledFrom([]Version{Version1, Version2c}).Draw(t, "version"), community)
		check("CommunitySize", CommunitySize(pdu, len(community)))

		f.Reset()
		f.AppendRaw(make([]byte, pdu))
		engine, name := octets.Draw(t, "contextEngineID"), octets.Draw(t, "contextName")
		f.CloseScoped(engine, name)
		check("ScopedSize", ScopedSize(pdu, len(engine), len(name)))
		scoped := f.Len()
		f.CloseOctets()
		check("OctetsSize", OctetsSize(scoped))
		data := f.Len()

		h := HeaderV3{
			ID: rapid.Int32().Draw(t, "msgID"), MaxSize: rapid.Int32().Draw(t, "msgMaxSize"), Flags: rapid.Byte().Draw(t, "msgFlags"),
			Model: SecurityModel(rapid.Int32().Draw(t, "msgSecurityModel")),
		}
		p := SecurityParameters{
			EngineID: octets.Draw(t, "engine"), Boots: rapid.Int32().Draw(t, "boots"), Time: rapid.Int32().Draw(t, "time"),
			UserName: octets.Draw(t, "user"), AuthenticationParameters: octets.Draw(t, "digest"), PrivacyParameters: octets.Draw(t, "salt"),
		}
		f.CloseV3(&h, &p)
		check("V3Size", V3Size(data, &h, &p))
	})
}
