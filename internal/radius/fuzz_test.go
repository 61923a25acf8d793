package radius

import (
	"errors"
	"testing"

	layeh "layeh.com/radius"

	"aaasess/internal/radius/captured"
)

// FuzzParse compares Parse with layeh.com/radius: neither panics, both accept the same framing, and
// a packet is authentic for both or for neither. There are two differences, because
// layeh.com/radius ignores Message-Authenticator: we reject one that does not occur once with 16
// octets as malformed, and a wrong one as not authentic.
func FuzzParse(f *testing.F) {
	for _, name := range captured.Accounting(f) {
		f.Add(captured.Packet(f, name))
	}
	for _, s := range []string{captured.GoldenRequest, captured.GoldenResponse, captured.GoldenSigned, captured.GoldenForged, "05", "0501001400"} {
		f.Add(captured.Octets(f, s))
	}
	f.Add(rawPacket(CodeAccountingRequest, ""))
	request := Authenticator(captured.Octets(f, captured.GoldenRequest)[4:HeaderLen])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		_, theirErr := layeh.Parse(b, []byte(captured.GoldenSecret))
		if err != nil {
			var m *MalformedError
			if !errors.As(err, &m) {
				t.Fatalf("error of another type: %v", err)
			}
			if theirErr == nil && m.Attribute != MessageAuthenticator {
				t.Fatalf("%v, but layeh accepts it", err)
			}
			return
		}
		if theirErr != nil {
			t.Fatalf("taken, but layeh says %v", theirErr)
		}
		if !Attributes(p.Attributes()).Valid() {
			t.Fatal("attributes are not whole")
		}
		signed := p.HasMessageAuthenticator()
		for _, secret := range []Secret{captured.GoldenSecret, captured.Secret} {
			ours, _ := p.Authentic(Authenticator{}, secret, nil)
			theirs := layeh.IsAuthenticRequest(p.data, []byte(secret))
			if known := p.Code() == CodeAccountingRequest; known && ours != theirs && !(theirs && signed) {
				t.Errorf("request authentic %v, layeh %v", ours, theirs)
			}
			ours, _ = p.Authentic(request, secret, nil)
			theirs = layeh.IsAuthenticResponse(p.data, append([]byte{4, p.Identifier(), 0, 20}, request[:]...), []byte(secret))
			if ours != theirs && !(theirs && signed) {
				t.Errorf("response authentic %v, layeh %v", ours, theirs)
			}
		}
	})
}
