package wire

import (
	"testing"

	"aaasess/mib"
)

// casnRow returns a row of casnActiveTable as in a walk: seven columns of one session.
func casnRow() []mib.Varbind {
	column := func(n uint32) mib.OID { return mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1").Append(n, 54321) }
	vbs := make([]mib.Varbind, 7)
	for i := range vbs {
		vbs[i].Name = column(uint32(i + 2))
	}
	vbs[0].Value.SetOctets("user-00054321@isp.examp") // casnUserId, 23 octets
	vbs[1].Value.SetIPAddress(0x0a00d431)             // casnIpAddr
	vbs[2].Value.SetGauge32(3600)                     // casnIdleTime
	vbs[3].Value.SetInteger32(2)                      // casnDisconnect
	vbs[4].Value.SetInteger32(1)                      // casnCallTrackerId
	vbs[5].Value.SetOctets("Ethernet0/0/0")
	vbs[6].Value.SetCounter32(4000000000)
	return vbs
}

// bulkRequest returns a GETBULK of seven columns, as a manager sends it in the middle of the table.
func bulkRequest(tb testing.TB) []byte {
	tb.Helper()
	var f Frame
	for _, vb := range casnRow() {
		vb.Value = mib.Value{Type: mib.Null}
		f.AppendVarbind(&vb)
	}
	f.ClosePDU(GetBulkRequest, 1234567, 0, 50)
	f.CloseCommunity(Version2c, []byte("public"))
	return f.Bytes()
}

func BenchmarkParseBulk7(b *testing.B) {
	octets := bulkRequest(b)
	var m Message
	var p PDU
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(octets); err != nil {
			b.Fatal(err)
		}
		if err := p.Parse(m.Data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendVarbind appends one cell: the columns of a row, or one column of many rows.
func BenchmarkAppendVarbind(b *testing.B) {
	row := casnRow()
	down := make([]mib.Varbind, 50)
	for i := range down {
		down[i] = row[0]
		down[i].Name = mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.2").Append(54321 + uint32(i))
	}
	for name, vbs := range map[string][]mib.Varbind{"row": row, "column": down, "user id": row[:1], "gauge": row[2:3]} {
		b.Run(name, func(b *testing.B) {
			var f Frame
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i == len(vbs) {
					i = 0
				}
				if f.Len() > 1400 {
					f.Reset()
				}
				f.AppendVarbind(&vbs[i])
				i++
			}
		})
	}
}

// BenchmarkResponse builds the answer to a GETBULK of one column and fifty rows.
func BenchmarkResponse(b *testing.B) {
	down := make([]mib.Varbind, 50)
	for i := range down {
		down[i] = casnRow()[0]
		down[i].Name = mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.2").Append(54321 + uint32(i))
	}
	community := []byte("public")
	var f Frame
	b.ReportAllocs()
	for b.Loop() {
		f.Reset()
		for i := range down {
			f.AppendVarbind(&down[i])
		}
		f.ClosePDU(Response, 1234567, 0, 0)
		f.CloseCommunity(Version2c, community)
	}
}
