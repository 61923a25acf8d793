package radius

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/internal/udpsocket"
)

// TestLoginTable: what is known of requests. A key has the identifier n%10 and the authenticator n.
func TestLoginTable(t *testing.T) {
	const octets = 100 // of an answer
	octetsOf := func(key int) []byte { return bytes.Repeat([]byte{byte(key)}, octets) }
	type step struct {
		at    time.Duration
		what  string // find, begin, ok (answered), failed, or forget
		key   int    // of the request; for forget, how many are forgotten
		want  progress
		waits bool // of ok and failed
	}
	tests := []struct {
		name  string
		limit int // answers in one generation
		steps []step
	}{
		{"in flight, then answered", 10, []step{
			{0, "find", 1, newRequest, false},
			{0, "begin", 1, 0, false},
			{0, "find", 1, inFlight, false},
			{time.Second, "ok", 1, 0, true},
			{2 * time.Second, "find", 1, answered, false},
			{2 * time.Second, "find", 2, newRequest, false},
		}},
		{"what failed is new again", 10, []step{
			{0, "begin", 1, 0, false},
			{0, "failed", 1, 0, true},
			{0, "find", 1, newRequest, false},
		}},
		{"in flight however long it takes", 10, []step{
			{0, "begin", 1, 0, false},
			{time.Hour, "find", 1, inFlight, false},
			{time.Hour, "ok", 1, 0, true},
			{time.Hour, "find", 1, answered, false},
		}},
		{"remembered for 10 s at least, for less than 20 s", 10, []step{
			{0, "begin", 1, 0, false},
			{0, "begin", 2, 0, false},
			{0, "ok", 1, 0, true},
			{9 * time.Second, "ok", 2, 0, true},
			{19 * time.Second, "find", 2, answered, false},
			{20*time.Second - 1, "find", 1, answered, false},
			{29 * time.Second, "find", 1, newRequest, false},
			{29 * time.Second, "find", 2, newRequest, false},
		}},
		{"the identifier is used again", 10, []step{
			{0, "begin", 1, 0, false},
			{0, "begin", 11, 0, false},
			{0, "find", 1, inFlight, false}, // a late copy is no third request
			{0, "ok", 1, 0, false},
			{0, "find", 11, inFlight, false},
			{0, "find", 1, answered, false},
			{0, "ok", 11, 0, true},
			{0, "find", 11, answered, false},
		}},
		{"the identifier is used again, the second ends first", 10, []step{
			{0, "begin", 1, 0, false},
			{0, "begin", 11, 0, false},
			{0, "ok", 11, 0, true},
			{0, "failed", 1, 0, false},
			{0, "find", 1, newRequest, false},
			{0, "find", 11, answered, false},
		}},
		{"the identifier is used again after the answer", 10, []step{
			{0, "begin", 1, 0, false},
			{0, "ok", 1, 0, true},
			{0, "begin", 11, 0, false},
			{0, "find", 1, answered, false},
			{0, "ok", 11, 0, true},
		}},
		{"too many octets", 2, []step{
			{0, "begin", 1, 0, false},
			{0, "ok", 1, 0, true},
			{0, "begin", 2, 0, false},
			{0, "ok", 2, 0, true},
			{0, "begin", 3, 0, false},
			{0, "ok", 3, 0, true},
			{0, "find", 1, answered, false}, // in the older generation
			{0, "begin", 4, 0, false},
			{0, "ok", 4, 0, true},
			{0, "find", 1, newRequest, false},
			{0, "find", 3, answered, false},
		}},
		{"a table that is not in use forgets what is answered", 10, []step{
			{0, "forget", 0, 0, false},
			{0, "begin", 1, 0, false},
			{0, "begin", 2, 0, false},
			{0, "ok", 1, 0, true},
			{10 * time.Second, "forget", 0, 0, false},
			{10*time.Second + 1, "forget", 1, 0, false},
			{11 * time.Second, "find", 1, newRequest, false},
			{11 * time.Second, "find", 2, inFlight, false},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := newLoginTable(tt.limit * (octets + loginOverhead))
			began := map[int]*exchange{}
			key := func(n int) requestKey {
				return requestKey{radius.Authenticator{byte(n)}, sourceKey{identifier: byte(n % 10)}}
			}
			for i, s := range tt.steps {
				now := noon.Add(s.at)
				switch s.what {
				case "find":
					got, a := table.find(key(s.key), now)
					if got != s.want || got == answered && (a.code != radius.Code(s.key) || !bytes.Equal(a.encoded, octetsOf(s.key))) {
						t.Errorf("step %d: %d %v, want %d", i, got, a, s.want)
					}
				case "begin":
					began[s.key] = &exchange{key: key(s.key)}
					table.begin(began[s.key])
				case "ok", "failed":
					var a loginAnswer
					if s.what == "ok" {
						a = loginAnswer{radius.Code(s.key), octetsOf(s.key)}
					}
					kept, waits := table.end(began[s.key], a, now)
					if waits != s.waits || !bytes.Equal(kept, a.encoded) {
						t.Errorf("step %d: waits %v, kept % X", i, waits, kept)
					}
				case "forget":
					if n := table.forget(now); n != s.key {
						t.Errorf("step %d: %d forgotten, want %d", i, n, s.key)
					}
				}
			}
			for n := range began {
				table.end(began[n], loginAnswer{}, noon)
			}
			if len(table.inFlight)+len(table.latest) > 0 {
				t.Errorf("%d requests and %d sources are kept for ever", len(table.inFlight), len(table.latest))
			}
		})
	}
}

// TestAnswerOctets: what was kept of each answer stays as it was, whatever their sizes.
func TestAnswerOctets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(20, 300), rapid.IntRange(4000, radius.MaxPacket)), 1, 60).Draw(t, "sizes")
		var o answerOctets
		var at []keptAnswer
		var kept [][]byte
		size := 0
		for i, n := range sizes {
			a, octets := o.add(loginAnswer{radius.Code(i), bytes.Repeat([]byte{byte(i)}, n)})
			at, kept = append(at, a), append(kept, octets)
			size += n + loginOverhead
		}
		for i, n := range sizes {
			want := bytes.Repeat([]byte{byte(i)}, n)
			_ = append(kept[i], 0xff) // must not write into the next one
			got := o.answer(at[i])
			_ = append(got.encoded, 0xff)
			if got.code != radius.Code(i) || !bytes.Equal(got.encoded, want) || !bytes.Equal(kept[i], want) {
				t.Fatalf("answer %d of %d octets: %v % X", i, n, got.code, got.encoded)
			}
		}
		if o.size != size {
			t.Errorf("size %d, want %d", o.size, size)
		}
	})
}

// TestLoginTableConcurrent: requests are answered, and copies find the answers, on many goroutines, while
// generations retire and are forgotten. Each answer is that of its request, for as long as it is used.
func TestLoginTableConcurrent(t *testing.T) {
	const goroutines, requests = 8, 2000
	table := newLoginTable(30_000)
	answerTo := func(k requestKey, size int) []byte { return bytes.Repeat(k.auth[:2], size/2) }
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			type answer struct {
				key  requestKey
				kept []byte
			}
			var recent []answer
			now := noon
			for n := range requests {
				k := requestKey{radius.Authenticator{byte(g), byte(n), byte(n >> 8)}, sourceKey{port: uint16(g), identifier: byte(n)}}
				x := &exchange{key: k}
				table.begin(x)
				if got, _ := table.find(k, now); got != inFlight {
					t.Errorf("request %v is not in flight: %d", k, got)
				}
				size := 2 * (10 + rng.IntN(100))
				if n%16 == 0 {
					size = radius.MaxPacket
				}
				kept, waits := table.end(x, loginAnswer{radius.CodeAccessAccept, answerTo(k, size)}, now)
				if !waits {
					t.Errorf("nobody waits for the answer to %v", k)
				}
				recent = append(recent, answer{k, kept})
				for range 3 {
					a := recent[rng.IntN(len(recent))]
					if want := answerTo(a.key, len(a.kept)); !bytes.Equal(a.kept, want) {
						t.Errorf("the answer to %v changed", a.key)
						return
					}
					if got, copied := table.find(a.key, now); got == inFlight || got == answered && !bytes.Equal(copied.encoded, a.kept) {
						t.Errorf("a copy of %v: %d % X", a.key, got, copied.encoded)
						return
					}
				}
				recent = recent[max(0, len(recent)-64):]
				if now = now.Add(time.Duration(rng.IntN(20)) * time.Millisecond); n%500 == 499 {
					table.forget(now.Add(2 * loginSpan))
				}
			}
		})
	}
	all.Wait()
	if len(table.inFlight)+len(table.latest) > 0 {
		t.Errorf("%d requests of %d sources are kept for ever", len(table.inFlight), len(table.latest))
	}
}

// TestLoginOnce: the first of several outcomes counts.
func TestLoginOnce(t *testing.T) {
	drop := func(q *AccessRequest) { q.Drop(errNoServer) }
	accept := func(q *AccessRequest) { q.Answer(radius.CodeAccessAccept, nil) }
	reject := func(q *AccessRequest) { q.Answer(radius.CodeAccessReject, nil) }
	unknown := func(q *AccessRequest) { q.Answer(radius.CodeAccountingResponse, nil) }
	for _, tt := range []struct {
		name     string
		outcomes []func(*AccessRequest)
		code     radius.Code // 0: no answer
		want     AuthCounters
		log      string
	}{
		{"answered", []func(*AccessRequest){accept, reject, drop, accept}, radius.CodeAccessAccept, AuthCounters{}, ""},
		{"dropped", []func(*AccessRequest){drop, accept, drop}, 0, AuthCounters{Refused: 1}, errNoServer.Error()},
		{"a code that is no answer", []func(*AccessRequest){unknown, accept}, 0, AuthCounters{Refused: 1}, "Accounting-Response is no answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relay := newRelayed()
			l, handle := newIdleAuth(t, relay, local())
			handle(access(1), noon)
			q := relay.next(t)
			for _, end := range tt.outcomes {
				end(q)
			}
			answers := l.queued()
			if n := len(answers); n > 1 || (n == 1) != (tt.code != 0) || n == 1 && answers[0][0] != byte(tt.code) {
				t.Errorf("answers %x", answers)
			}
			tt.want.Requests = 1
			if diff := cmp.Diff(tt.want, l.Stats().AuthCounters); diff != "" {
				t.Error(diff)
			}
			if log := l.log.String(); !strings.Contains(log, tt.log) || (tt.log == "") != (log == "") {
				t.Errorf("the log: %s", log)
			}
			if n := l.pending.Load(); n != 0 {
				t.Errorf("%d requests in flight", n)
			}
			handle(access(1), noon) // a copy, or a new request if there was no answer
			if (len(relay) == 1) != (tt.code == 0) || (len(l.queued()) == 1) != (tt.code != 0) {
				t.Error("the copy was not handled right")
			}
		})
	}
}

// TestIdentifierUsedAgain: a NAS has given up a request and uses its identifier for another one. The
// answer to the first is not sent, but kept for late copies of it.
func TestIdentifierUsedAgain(t *testing.T) {
	relay := newRelayed()
	l, handle := newIdleAuth(t, relay, local())
	first, second := accessOf(randomOf(1, 1), 1), accessOf(randomOf(1, 2), 1)
	handle(first, noon)
	handle(second, noon)
	handle(first, noon)
	old, current := relay.next(t), relay.next(t)
	old.Answer(radius.CodeAccessReject, nil)
	if got := l.queued(); got != nil {
		t.Errorf("answered: %x", got)
	}
	current.Answer(radius.CodeAccessAccept, nil)
	if got := l.queued(); len(got) != 1 || got[0][0] != byte(radius.CodeAccessAccept) {
		t.Errorf("answers: %x", got)
	}
	handle(second, time.Now())
	handle(first, time.Now())
	if got := l.queued(); len(got) != 2 || got[0][0] != byte(radius.CodeAccessAccept) || got[1][0] != byte(radius.CodeAccessReject) {
		t.Errorf("answers to copies: %x", got)
	}
	if diff := cmp.Diff(AuthCounters{Requests: 5, Duplicates: 3, Dropped: 1}, l.Stats().AuthCounters); diff != "" {
		t.Error(diff)
	}
}

// TestLateAnswers: after the end, answers and drops are harmless, and a NAS gets none.
func TestLateAnswers(t *testing.T) {
	relay := newRelayed()
	l, handle := newIdleAuth(t, relay, local())
	handle(access(1), noon)
	handle(access(2), noon)
	l.sockets[0].answers.close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	relay.next(t).Answer(radius.CodeAccessAccept, nil)
	relay.next(t).Drop(errNoServer)
	if diff := cmp.Diff(AuthCounters{Requests: 2, Dropped: 1, Refused: 1}, l.Stats().AuthCounters); diff != "" {
		t.Error(diff)
	}
}

// TestAuthStatusServer: no Status-Server reaches the relay, and none is answered while it accepts
// nothing.
func TestAuthStatusServer(t *testing.T) {
	state := attr(radius.ProxyState, "p")
	for _, tt := range []struct {
		name  string
		relay Relay
		want  AuthCounters
	}{
		{"accepting", relayed(nil), AuthCounters{Requests: 1, StatusServers: 1}},
		{"no server", unavailable{}, AuthCounters{Requests: 1, StatusServers: 1, Refused: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, handle := newIdleAuth(t, tt.relay, local())
			request := statusRequest(1, state)
			handle(request, noon)
			answers := l.queued()
			if len(answers) != int(1-tt.want.Refused) {
				t.Fatalf("%d answers", len(answers))
			}
			if diff := cmp.Diff(tt.want, l.Stats().AuthCounters); diff != "" {
				t.Error(diff)
			}
			for _, answer := range answers {
				p := parsedGolden(t, []byte(answer))
				if ok, _ := p.Authentic(radius.Authenticator(request[4:radius.HeaderLen]), captured.Secret, nil); !ok || p.Code() != radius.CodeAccessAccept {
					t.Errorf("answer %x", answer)
				}
				if got := string(p.Attributes()[radius.SignatureLen:]); got != state {
					t.Errorf("attributes %x", got)
				}
			}
		})
	}
}

// TestLoginsProperty: whatever the order of requests, copies, answers and drops, a request gets at
// most one answer, all its copies get the same octets, a copy of a request in flight or answered is
// not relayed, and nothing stays in flight.
func TestLoginsProperty(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) { checkLogins(t, rand.New(rand.NewPCG(16, seed))) })
	}
}

// checkLogins plays one random dialogue of three sources, each with two identifiers.
func checkLogins(t *testing.T, random *rand.Rand) {
	relay := newRelayed()
	l, _ := newIdleAuth(t, relay, local())
	s := l.sockets[0]
	type known struct {
		datagram []byte
		from     netip.AddrPort
		open     *AccessRequest
		answered bool
	}
	var requests []*known
	answers := map[string][]string{} // by source and authenticator
	send := func(k *known) {
		l.handle(k.datagram, s.arrival(k.from, udpsocket.Local{}), nil, time.Now())
		if len(relay) > 0 {
			q := <-relay
			if k.open != nil || k.answered {
				t.Error("a copy was relayed")
			}
			k.open = q
		} else if k.open == nil && !k.answered {
			t.Error("a request was not relayed")
		}
	}
	end := func(k *known) {
		switch code := random.IntN(4); code {
		case 0:
			k.open.Drop(errors.New("dropped"))
		default:
			codes := []radius.Code{radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeAccessChallenge}
			k.open.Answer(codes[code-1], []byte(attr(radius.State, fmt.Sprint(random.Uint32()))))
			k.answered = true
		}
		k.open.Answer(radius.CodeAccessReject, nil) // once too often
		k.open = nil
	}
	for range 60 {
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond) // all within loginSpan
		open := slices.DeleteFunc(slices.Clone(requests), func(k *known) bool { return k.open == nil })
		switch what := random.IntN(3); {
		case what == 0 || len(requests) == 0:
			identifier := byte(random.IntN(2))
			k := &known{
				datagram: accessOf(randomOf(identifier, byte(len(requests))), identifier),
				from:     netip.AddrPortFrom(here, uint16(1+random.IntN(3))),
			}
			requests = append(requests, k)
			send(k)
		case what == 1:
			send(requests[random.IntN(len(requests))])
		case len(open) > 0:
			end(open[random.IntN(len(open))])
		}
	}
	for _, k := range requests {
		if k.open != nil {
			end(k)
		}
	}
	for _, x := range l.waiting() {
		who := fmt.Sprint(x.from, x.key.auth)
		answers[who] = append(answers[who], string(x.appendResponse(nil)))
	}
	for who, list := range answers {
		if list = slices.Compact(list); len(list) != 1 {
			t.Errorf("%s: %d answers: %x", who, len(list), list)
		}
	}
	if n := l.pending.Load(); n != 0 || len(s.logins.inFlight)+len(s.logins.latest) > 0 {
		t.Errorf("%d requests in flight, %d and %d in the table", n, len(s.logins.inFlight), len(s.logins.latest))
	}
}

// TestCopiesWhileAnswering: two goroutines answer each request while its copy arrives. One of them
// wins, and copies get what it said. Run with -race.
func TestCopiesWhileAnswering(t *testing.T) {
	const many = 200
	relay := newRelayed()
	l := startAuth(t, relay, "127.0.0.1:0", local())
	n := l.dial(l.Addr())
	go func() {
		for range many {
			q := <-relay
			go q.Answer(radius.CodeAccessAccept, nil)
			go q.Answer(radius.CodeAccessReject, nil)
		}
	}()
	answers := map[byte]string{} // by identifier
	b := make([]byte, radius.MaxPacket)
	for sent := 0; len(answers) < many; {
		for ; sent-len(answers) < 32 && sent < many; sent++ { // so that no socket has to drop one
			n.send(access(byte(sent)), access(byte(sent)))
		}
		_ = n.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		size, err := n.conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if old, ok := answers[b[1]]; ok && old != string(b[:size]) {
			t.Errorf("two answers: %x, %x", old, b[:size])
		}
		answers[b[1]] = string(b[:size])
	}
	l.stop()
	if s := l.Stats(); s.Requests-s.Duplicates != many || len(relay) > 0 {
		t.Errorf("%+v", s.AuthCounters)
	}
}
