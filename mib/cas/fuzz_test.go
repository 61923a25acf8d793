package cas

import (
	"errors"
	"testing"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// FuzzSet passes arbitrary variables to a SET. The seeds are rows that are complete, and some that are
// not. Each variable is an object, the number and octets of its index, and a value.
func FuzzSet(f *testing.F) {
	for _, text := range []string{
		"casConfigRowStatus.2.7=4 casAddress.2.7=192.0.2.7 casKey.2.7=k",
		"casConfigRowStatus.1.7=5 casAuthenPort.1.7=49",
		"casConfigRowStatus.2.1=6 casServerStateChangeEnable.0=1",
		"casConfigRowStatus.2.9=1",
		"casConfigRowStatus.3.1=4 casAcctPort.2=70000",
	} {
		f.Add(encodeSet(newDaemon(f).tree.Defs(), assign(text)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"))
		d.must(t, "casConfigRowStatus.2.9=5 casAddress.2.9=192.0.2.9")
		vbs := decodeSet(d.tree.Defs(), b)
		if len(vbs) == 0 {
			return
		}
		before := d.image(t)
		set, err := d.tree.Test(vbs)
		if err == nil {
			if err := set.Commit(); err != nil {
				t.Fatalf("passed its test, then: %v", err)
			}
			for _, c := range d.overlay.Created {
				v := mib.Value{Type: mib.IpAddress}
				octets := c.Addr.As4()
				v.SetIPAddress(uint32(octets[0])<<24 | uint32(octets[1])<<16 | uint32(octets[2])<<8 | uint32(octets[3]))
				if testAddress(&v) != mib.NoError || len(c.Key) > maxKey || c.Index == 0 {
					t.Fatalf("created %+v", c)
				}
			}
			if err := set.Undo(); err != nil {
				t.Fatal(err)
			}
		} else if se, ok := errors.AsType[*mib.SetError](err); !ok || se.Index < 1 || se.Index > len(vbs) || se.Status == mib.GenErr {
			t.Fatalf("error %v", err)
		}
		if diff := diffImages(before, d.image(t)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// decodeSet makes variables of octets: the number of the object, the type (0: that of the object), the
// number of octets of the index with one octet for each sub-identifier, and the same for the value.
func decodeSet(defs []mib.Def, b []byte) (vbs []mib.Varbind) {
	next := func() (c byte) {
		if len(b) > 0 {
			c, b = b[0], b[1:]
		}
		return c
	}
	for len(b) > 0 && len(vbs) < 50 {
		def := &defs[int(next())%len(defs)]
		vb := mib.Varbind{Name: def.OID.Append(), Value: mib.Value{Type: def.Type}}
		if t := next(); t != 0 {
			vb.Value.Type = mib.Type(t)
		}
		for range next() % 8 {
			vb.Name = append(vb.Name, uint32(next()))
		}
		octets := make([]byte, next())
		for i := range octets {
			octets[i] = next()
			vb.Value.Num = vb.Value.Num<<8 | uint64(octets[i])
		}
		if vb.Value.Type != mib.Counter64 {
			vb.Value.Num = uint64(uint32(vb.Value.Num))
		}
		vb.Value.Str = string(octets)
		vbs = append(vbs, vb)
	}
	return vbs
}

// encodeSet is the inverse of decodeSet for variables with small indexes.
func encodeSet(defs []mib.Def, vbs []mib.Varbind) (b []byte) {
	for i := range vbs {
		for n, def := range defs {
			if !vbs[i].Name.HasPrefix(def.OID) {
				continue
			}
			index := vbs[i].Name[len(def.OID):]
			b = append(b, byte(n), 0, byte(len(index)))
			for _, sub := range index {
				b = append(b, byte(sub))
			}
			value := []byte(vbs[i].Value.Str)
			if def.Type != mib.OctetString {
				num := vbs[i].Value.Num
				value = []byte{byte(num >> 24), byte(num >> 16), byte(num >> 8), byte(num)}
			}
			b = append(append(b, byte(len(value))), value...)
		}
	}
	return b
}
