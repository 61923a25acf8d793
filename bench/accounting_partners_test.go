//go:build partners

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// loadStand is a built load generator with its requests.
func loadStand(t *testing.T, requests int) (host, string) {
	t.Helper()
	h := host{cpus: fmt.Sprintf("0-%d", onlineCPUs()-1), dir: t.TempDir()}
	if err := os.CopyFS(h.dir, peerSources); err != nil {
		t.Fatal(err)
	}
	if err := buildLoad(t.Context(), h.dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, "requests")
	if err := writeRequests(file, requests); err != nil {
		t.Fatal(err)
	}
	return h, file
}

// scripted is a server that gives to the nth copy of a request the octets that answer says; nil: nothing.
func scripted(t *testing.T, answer func(number, copyOf int, right []byte) [][]byte) uint16 {
	t.Helper()
	conn, err := listenLoopback(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := forceReadBuffer(conn, ampleBuffer); err != nil {
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
			attrs, _ := checkRequest(b[:n])
			number, _ := requestNumber(attrs)
			copies[number]++
			for _, a := range answer(number, copies[number], appendResponse(nil, b[:n], nil)) {
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
	all := load{count: requests, inFlight: 100, timeout: 300 * time.Millisecond, tries: 3}
	always := func(_, _ int, right []byte) [][]byte { return [][]byte{right} }
	for _, tt := range []struct {
		name   string
		load   load
		answer func(number, copyOf int, right []byte) [][]byte
		want   loadResult // of the counts
	}{
		{"all answered", all, always, loadResult{Sent: requests, Answered: requests}},
		{"a range", load{first: 5000, count: 500, inFlight: 7, timeout: time.Second, tries: 1}, func(number, _ int, right []byte) [][]byte {
			if number < 5000 || number >= 5500 {
				return nil
			}
			return [][]byte{right}
		}, loadResult{Sent: 500, Answered: 500}},
		{"the first copies are lost", all, func(number, copyOf int, right []byte) [][]byte {
			if number%100 == 0 && copyOf < 3 {
				return nil
			}
			return [][]byte{right}
		}, loadResult{Sent: requests, Answered: requests, Retransmissions: 120, Over: 60}},
		{"some are never answered", all, func(number, _ int, right []byte) [][]byte {
			if number%1000 == 0 {
				return nil
			}
			return [][]byte{right}
		}, loadResult{Sent: requests, Answered: requests - 6, GivenUp: 6, Retransmissions: 12}},
		{"answered twice", all, func(number, _ int, right []byte) [][]byte {
			return [][]byte{right, right}[:1+number%2]
		}, loadResult{Sent: requests, Answered: requests, Unexpected: requests / 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := h.send(t.Context(), file, scripted(t, tt.answer), tt.load)
			if err != nil {
				t.Fatal(err)
			}
			if got.Took <= 0 || got.P50 <= 0 || got.P99 < got.P50 || got.Max < got.P99 {
				t.Errorf("times %+v", got)
			}
			// The last second answer may come when all is over.
			if want := tt.want.Unexpected; got.Unexpected > want || got.Unexpected < want-int(inFlight) {
				t.Errorf("%d unexpected answers, want %d", got.Unexpected, want)
			}
			// A busy machine may have been slow to others as well.
			if got.Retransmissions < tt.want.Retransmissions || got.Over < tt.want.Over {
				t.Errorf("%d sent again, %d slow, want %d, %d", got.Retransmissions, got.Over, tt.want.Retransmissions, tt.want.Over)
			}
			if got.Sent != tt.want.Sent || got.Answered != tt.want.Answered || got.GivenUp != tt.want.GivenUp {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestLoadOpenLoop: requests go out at their times, and one that is answered late counts from then.
func TestLoadOpenLoop(t *testing.T) {
	h, file := loadStand(t, 1000)
	port := scripted(t, func(number, copyOf int, right []byte) [][]byte {
		if number == 500 && copyOf == 1 {
			return nil
		}
		return [][]byte{right}
	})
	got, err := h.send(t.Context(), file, port, load{count: 1000, rate: 1000, timeout: 200 * time.Millisecond, tries: 2})
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

// TestLoadIsOnTime: it waits for the time of the next request, not for answers or timeouts of those before.
func TestLoadIsOnTime(t *testing.T) {
	h, file := loadStand(t, 2000)
	port := scripted(t, func(_, _ int, right []byte) [][]byte { return [][]byte{right} })
	const timeout = time.Minute
	got, err := h.send(t.Context(), file, port, load{count: 2000, rate: 2000, timeout: timeout, tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got.Answered != 2000 || got.Took > timeout/2 || got.Max > timeout/2 {
		t.Errorf("%+v", got)
	}
}

// Wrong answers are an error, however many there are.
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
			_, err := h.send(t.Context(), file, port, load{count: 100, inFlight: 10, timeout: 200 * time.Millisecond, tries: 2})
			if err == nil || !strings.Contains(err.Error(), "1 answers are wrong") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := h.send(t.Context(), file, 9, load{count: 101, inFlight: 1, timeout: time.Second, tries: 1}); err == nil {
		t.Error("sends more than there is")
	}
}

// TestAccountingQuick runs what -quick does, to tables in which every contender has its figures.
func TestAccountingQuick(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: host{cpus: c.cpus, dir: t.TempDir()}, progress: io.Discard}
	text, err := runAccounting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.comparisons) != len(accountingParts) || text.runs != 1 {
		t.Fatalf("%d comparisons of %d runs", len(text.comparisons), text.runs)
	}
	positive := func(i int, metrics []string, contenders ...string) {
		t.Helper()
		for _, m := range metrics {
			for _, who := range contenders {
				if v := text.comparisons[i].series.values(who, m); len(v) != 1 || v[0] <= 0 {
					t.Errorf("%s, %s, %s: %v", text.comparisons[i].title, who, m, v)
				}
			}
		}
	}
	positive(0, []string{answeredRate, serverCPU, halfRate, halfP50, halfP99, halfMax}, rateContenders...)
	positive(0, []string{arrivedRate}, peerProxy, oursRelaying, peerRadsec)
	positive(1, []string{drained, drainedSize}, drainContenders...)
	positive(1, []string{drainFirst}, oursSpooling)
	positive(2, []string{outageSent, outageLongest, outageArrived}, outageContenders...)
	positive(3, []string{restartSNMP, restartRADIUS, restartCPU, restartMemory}, oursSpooling)
	if t.Failed() {
		return
	}
	outages := text.comparisons[2].series
	ours, proxy := outages[oursRelaying][0], outages[peerProxy][0]
	if ours[outageLost] != 0 || ours[outageArrived] != ours[outageSent] {
		t.Errorf("the outage of aaasessd's server: %v", ours)
	}
	// It was one: who waits for the server had NASes wait.
	if proxy[outageAgain] == 0 {
		t.Error("the proxy of a server that is stopped answered everything at once")
	}
}

// A contender that cannot start is an error with its own words.
func TestOpenRelayNamesWhatEnded(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	broken := filepath.Join(h.dir, daemonProgram)
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no records today >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := openRelay(t.Context(), h, oursSpooling, 0); err == nil || !strings.Contains(err.Error(), "no records today") {
		t.Errorf("error %v", err)
	}
	if _, err := openRelay(t.Context(), h, "carrier pigeons", 0); err == nil || !strings.Contains(err.Error(), "carrier pigeons") {
		t.Errorf("error %v", err)
	}
}

// TestPause: a process that is stopped does not answer, and does again.
func TestPause(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	a, err := startAcknowledger(t.Context(), h, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.stop()
	paused := make(chan error, 1)
	go func() { paused <- a.pause(t.Context(), 0, 300*time.Millisecond) }()
	awaitState(t, a.process, "T (stopped)")
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback(), a.port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	if err := conn.SetDeadline(began.Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	exchange(t, conn, appendRequest(nil, 1, startAttributes(1)))
	if err := <-paused; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("answered after %v, while it was stopped", took)
	}
	// Whatever ends the measurement, it is not left stopped.
	ctx, cancel := context.WithCancel(t.Context())
	go func() { paused <- a.pause(ctx, 0, time.Hour) }()
	awaitState(t, a.process, "T (stopped)")
	cancel()
	if err := <-paused; err == nil {
		t.Error("paused to the end, though its context was done")
	}
	exchange(t, conn, appendRequest(nil, 2, startAttributes(2)))
}

// awaitState waits until the kernel says of a process that it is in a state.
func awaitState(t *testing.T, p *process, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if fieldOf(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), "State", ":") == want {
			return
		}
	}
	t.Fatalf("%s does not get to state %s", p.name, want)
}
