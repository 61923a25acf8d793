//go:build partners

package stand

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/bench/nasload"
)

// loadStand is a load generator and its file of requests.
func loadStand(t *testing.T, requests int) (Host, string) {
	t.Helper()
	h := Host{CPUs: fmt.Sprintf("0-%d", OnlineCPUs()-1), Dir: t.TempDir()}
	if err := BuildAccounting(t.Context(), h.Dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.Dir, "requests")
	if err := nasload.WriteRequests(file, requests); err != nil {
		t.Fatal(err)
	}
	return h, file
}

// scripted is a server that answers the nth copy of a request with the datagrams that answer
// returns.
func scripted(t *testing.T, answer func(number, copyOf int, right []byte) [][]byte) uint16 {
	t.Helper()
	conn, err := nasload.ListenLoopback(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := forceReadBuffer(conn, LargeBuffer); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	wg.Go(func() {
		b, copies := make([]byte, 4096), map[int]int{}
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			attrs, _ := nasload.CheckRequest(b[:n])
			number, _ := nasload.RequestNumber(attrs)
			copies[number]++
			for _, a := range answer(number, copies[number], nasload.AppendResponse(nil, b[:n], nil)) {
				if _, err := conn.WriteToUDPAddrPort(a, from); err != nil {
					return
				}
			}
		}
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

func TestLoad(t *testing.T) {
	const requests = 6000
	h, file := loadStand(t, requests)
	all := Load{Count: requests, InFlight: 100, Timeout: 300 * time.Millisecond, Tries: 3}
	always := func(_, _ int, right []byte) [][]byte { return [][]byte{right} }
	for _, tt := range []struct {
		name   string
		load   Load
		answer func(number, copyOf int, right []byte) [][]byte
		want   LoadResult // only the counts
	}{
		{"all answered", all, always, LoadResult{Sent: requests, Answered: requests}},
		{"a range", Load{First: 5000, Count: 500, InFlight: 7, Timeout: time.Second, Tries: 1}, func(number, _ int, right []byte) [][]byte {
			if number < 5000 || number >= 5500 {
				return nil
			}
			return [][]byte{right}
		}, LoadResult{Sent: 500, Answered: 500}},
		{"the first copies are lost", all, func(number, copyOf int, right []byte) [][]byte {
			if number%100 == 0 && copyOf < 3 {
				return nil
			}
			return [][]byte{right}
		}, LoadResult{Sent: requests, Answered: requests, Retransmissions: 120, Over: 60}},
		{"some are never answered", all, func(number, _ int, right []byte) [][]byte {
			if number%1000 == 0 {
				return nil
			}
			return [][]byte{right}
		}, LoadResult{Sent: requests, Answered: requests - 6, GivenUp: 6, Retransmissions: 12}},
		{"answered twice", all, func(number, _ int, right []byte) [][]byte {
			return [][]byte{right, right}[:1+number%2]
		}, LoadResult{Sent: requests, Answered: requests, Unexpected: requests / 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := h.Send(t.Context(), file, scripted(t, tt.answer), tt.load)
			if err != nil {
				t.Fatal(err)
			}
			if got.Took <= 0 || got.P50 <= 0 || got.P99 < got.P50 || got.Max < got.P99 {
				t.Errorf("times %+v", got)
			}
			// The last duplicate answer may arrive after the end.
			if want := tt.want.Unexpected; got.Unexpected > want || got.Unexpected < want-int(InFlight) {
				t.Errorf("%d unexpected answers, want %d", got.Unexpected, want)
			}
			// On a busy machine other answers may be slow too.
			if got.Retransmissions < tt.want.Retransmissions || got.Over < tt.want.Over {
				t.Errorf("%d sent again, %d slow, want %d, %d", got.Retransmissions, got.Over, tt.want.Retransmissions, tt.want.Over)
			}
			if got.Sent != tt.want.Sent || got.Answered != tt.want.Answered || got.GivenUp != tt.want.GivenUp {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestLoadOpenLoop: requests are sent when they are due, and latencies count from then.
func TestLoadOpenLoop(t *testing.T) {
	h, file := loadStand(t, 1000)
	port := scripted(t, func(number, copyOf int, right []byte) [][]byte {
		if number == 500 && copyOf == 1 {
			return nil
		}
		return [][]byte{right}
	})
	got, err := h.Send(t.Context(), file, port, Load{Count: 1000, Rate: 1000, Timeout: 200 * time.Millisecond, Tries: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got.Answered != 1000 || got.Retransmissions < 1 || got.Over < 1 {
		t.Errorf("%+v", got)
	}
	if got.Took < 990*time.Millisecond {
		t.Errorf("1,000 requests took %v at 1,000 a second", got.Took)
	}
	if got.Max < 200*time.Millisecond {
		t.Errorf("the longest answer took %v, one came after 200 ms", got.Max)
	}
}

// TestLoadIsOnTime: it sends the next request when it is due, and does not wait for earlier answers
// or timeouts.
func TestLoadIsOnTime(t *testing.T) {
	h, file := loadStand(t, 2000)
	port := scripted(t, func(_, _ int, right []byte) [][]byte { return [][]byte{right} })
	const timeout = time.Minute
	got, err := h.Send(t.Context(), file, port, Load{Count: 2000, Rate: 2000, Timeout: timeout, Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got.Answered != 2000 || got.Took > timeout/2 || got.Max > timeout/2 {
		t.Errorf("%+v", got)
	}
}

// Wrong answers are an error.
func TestLoadChecksAnswers(t *testing.T) {
	h, file := loadStand(t, 100)
	for name, spoil := range map[string]func(b []byte) []byte{
		"authenticator": func(b []byte) []byte { b[19] ^= 1; return b },
		"code":          func(b []byte) []byte { b[0] = 2; return b },
		"length":        func(b []byte) []byte { return append(b, 0) },
		"cut":           func(b []byte) []byte { return b[:19] },
	} {
		t.Run(name, func(t *testing.T) {
			port := scripted(t, func(number, copyOf int, right []byte) [][]byte {
				if number == 50 && copyOf == 1 {
					return [][]byte{spoil(right)}
				}
				return [][]byte{right}
			})
			_, err := h.Send(t.Context(), file, port, Load{Count: 100, InFlight: 10, Timeout: 200 * time.Millisecond, Tries: 2})
			if err == nil || !strings.Contains(err.Error(), "1 wrong answers") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := h.Send(t.Context(), file, 9, Load{Count: 101, InFlight: 1, Timeout: time.Second, Tries: 1}); err == nil {
		t.Error("no error, although the file has too few requests")
	}
}

// If a contender does not start, the error has its output.
func TestOpenRelayNamesWhatEnded(t *testing.T) {
	h := Host{CPUs: "0", Dir: t.TempDir()}
	broken := filepath.Join(h.Dir, daemonProgram)
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no records today >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRelay(t.Context(), h, OursSpooling, 0); err == nil || !strings.Contains(err.Error(), "no records today") {
		t.Errorf("error %v", err)
	}
	if _, err := OpenRelay(t.Context(), h, "carrier pigeons", 0); err == nil || !strings.Contains(err.Error(), "carrier pigeons") {
		t.Errorf("error %v", err)
	}
}
