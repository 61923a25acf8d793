package tacacs

import "testing"

// benchRequest is a stop with as many arguments as a call has.
func benchRequest() *AcctRequest {
	return &AcctRequest{
		Flags: AcctFlagStop, AuthenMethod: AuthenMethodTACACSPlus, PrivLvl: 1, AuthenType: AuthenTypePAP, AuthenService: AuthenServicePPP,
		User: "alice", Port: "Async5", RemAddr: "562/5622329477",
		Args: []string{
			"task_id=13", "timezone=UTC", "service=ppp", "protocol=ip", "addr=192.0.2.17", "start_time=1795335381", "elapsed_time=3600",
			"bytes_in=123456789", "bytes_out=987654321", "paks_in=123456", "paks_out=654321", "disc-cause=1", "pre-session-time=7", "nas-rx-speed=28800",
		},
	}
}

// BenchmarkCodec measures the steps of an accounting request. The package comment has the results.
func BenchmarkCodec(b *testing.B) {
	request := benchRequest()
	body, err := AppendAcctRequest(nil, request)
	if err != nil {
		b.Fatal(err)
	}
	h := Header{Version: Version, Type: TypeAccounting, Seq: 1, Session: 0xdeadbeef, Length: uint32(len(body))}
	key := Key(goldenKey)
	reply := []byte{0, 0, 0, 0, 1}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"encode", func() (err error) { body, err = AppendAcctRequest(body[:0], request); return err }},
		{"decode", func() error { _, err := ParseAcctRequest(body); return err }},
		{"reply", func() error { _, err := ParseAcctReply(reply); return err }},
		{"obfuscate", func() error { Obfuscate(body, h, key); return nil }}, // the last: it changes body
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if err := step.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
