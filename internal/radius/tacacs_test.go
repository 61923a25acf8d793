package radius

import "testing"

// TestTACACSNames: what TACACS+ calls the values of RADIUS (RFC 2865 sections 5.6, 5.7, 5.15).
func TestTACACSNames(t *testing.T) {
	attrs := func(typ Type, n uint32) Attributes { return Attributes(AppendUint32(nil, typ, n)) }
	for n, want := range map[uint32]string{1: "ppp", 2: "slip", 3: "arap", 4: "ppp", 261: "ppp"} {
		if name, known := attrs(FramedProtocol, n).FramedService(); name != want || known != (n <= 3) {
			t.Errorf("Framed-Protocol %d: %s, %v, want %s", n, name, known, want)
		}
	}
	if name, known := Attributes("").FramedService(); name != "ppp" || known {
		t.Errorf("no Framed-Protocol: %s, %v", name, known)
	}
	for n, want := range map[uint32]string{0: "telnet", 1: "rlogin", 2: "unknown", 4: "lat", 5: "pad", 50: "unknown"} {
		if name, ok := attrs(LoginService, n).LoginProtocol(); name != want || !ok {
			t.Errorf("Login-Service %d: %s, %v, want %s", n, name, ok, want)
		}
	}
	if name, ok := Attributes("").LoginProtocol(); name != "" || ok {
		t.Errorf("no Login-Service: %s, %v", name, ok)
	}
	for n := range uint32(18) {
		if got := attrs(ServiceType, n).IsAdministrative(); got != (n == 6 || n == 11) {
			t.Errorf("Service-Type %d: %v", n, got)
		}
	}
}
