package agentx_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
)

// TestSessionDuplicate: another subagent has our subtree for ten minutes. The master is not flooded,
// log and status say why, and we take over soon after the other has gone.
func TestSessionDuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var taken atomic.Bool
		taken.Store(true)
		refuse := agentxtest.Refuse(pdu.TypeRegister, pdu.ErrorDuplicateRegistration)
		begin := time.Now()
		r := run(t, func(h agentx.Header, p agentx.Payload) *agentx.Response {
			if taken.Load() {
				return refuse(h, p)
			}
			return agentxtest.Agree(h, p)
		})
		time.Sleep(10 * time.Minute)
		st := r.Stats()
		if st.Connected || st.Reason != agentx.DuplicateRegistration || !st.Since.Equal(begin) {
			t.Errorf("statistics %+v", st)
		}
		if n := len(r.masters); n < 165 || n > 180 { // one a second in the first minute, then one in five
			t.Errorf("%d attempts in ten minutes", n)
		}
		closes := 0
		for _, said := range r.heard.without("Open", "Register") {
			if !strings.HasSuffix(said, "Close ReasonOther") {
				t.Errorf("we said %q", said)
			}
			closes++
		}
		if closes != len(r.masters) {
			t.Errorf("%d of %d sessions were closed", closes, len(r.masters))
		}
		for len(r.masters) > 0 {
			<-r.masters
		}
		taken.Store(false)
		left := time.Now()
		r.up(t)
		if took := time.Since(left); took > 5*time.Second {
			t.Errorf("taken over after %s", took)
		}
		if st := r.Stats(); st.Reason != "" || !st.Since.After(left.Add(-1)) {
			t.Errorf("then statistics %+v", st)
		}
		log := r.log.lines()
		want := `level=WARN msg="agentx: duplicate registration: another subagent has the same subtree; will retry"` +
			` network="" address="" err="agentx: Register refused: duplicateRegistration"`
		if len(log) != 2 || log[0] != want || !strings.Contains(log[1], "connected to the master agent") {
			t.Errorf("log %q", log)
		}
	})
}

// TestSessionRefusedAtReturn: a master is away for ten minutes, and refuses us for a while when it is
// back. We are back within two seconds of its last refusal (R15).
func TestSessionRefusedAtReturn(t *testing.T) {
	for _, kind := range []pdu.Type{pdu.TypeOpen, pdu.TypeRegister} {
		for _, refuses := range []time.Duration{0, 200 * time.Millisecond, 3 * time.Second, 50 * time.Second} {
			t.Run(fmt.Sprint(agentx.TypeName(kind), " ", refuses), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					refuse := agentxtest.Refuse(kind, pdu.ErrorProcessing)
					begin := time.Now()
					returns := begin.Add(10 * time.Minute)
					refused := time.Time{} // when it was first
					r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}, masters: make(chan *agentxtest.Master, 1000)}
					accept := agentxtest.Dial(func(conn net.Conn, id uint32) {
						r.masters <- agentxtest.NewMaster(conn, id, func(h agentx.Header, p agentx.Payload) *agentx.Response {
							if p.Type() == kind && (refused.IsZero() || time.Since(returns) < refuses) {
								refused = time.Now()
								return refuse(h, p)
							}
							return agentxtest.Agree(h, p)
						})
					})
					r.start(agentx.Config{Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
						if time.Now().Before(returns) {
							return nil, errors.New("connection refused")
						}
						return accept(ctx, n, a)
					}})
					defer r.stop()
					<-r.Ready()
					if refused.IsZero() {
						t.Error("never refused")
					}
					if took := time.Since(returns.Add(refuses)); took > 2*time.Second {
						t.Errorf("back after %s", took)
					}
				})
			})
		}
	}
}

// TestSessionRestartWhileRefused: a master has refused us for minutes, so that the pauses are long. Then
// it restarts, and accepts us. We are back within two seconds of its return (R15), whenever in a pause
// it stops.
func TestSessionRestartWhileRefused(t *testing.T) {
	for _, stops := range []time.Duration{0, 100 * time.Millisecond, 1300 * time.Millisecond, 2500 * time.Millisecond, 3700 * time.Millisecond, 4900 * time.Millisecond} {
		for _, away := range []time.Duration{0, 300 * time.Millisecond, 10 * time.Second} {
			for _, refuses := range []time.Duration{0, 3 * time.Second} {
				t.Run(fmt.Sprint(stops, ", away ", away, ", refuses ", refuses), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						begin := time.Now()
						stop := begin.Add(2*time.Minute + stops)
						returned := stop.Add(away)
						refuse := agentxtest.Refuse(pdu.TypeRegister, pdu.ErrorDuplicateRegistration)
						r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}, masters: make(chan *agentxtest.Master, 1000)}
						accept := agentxtest.Dial(func(conn net.Conn, id uint32) {
							r.masters <- agentxtest.NewMaster(conn, id, func(h agentx.Header, p agentx.Payload) *agentx.Response {
								if time.Since(returned) < refuses {
									return refuse(h, p)
								}
								return agentxtest.Agree(h, p)
							})
						})
						r.start(agentx.Config{Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
							if now := time.Now(); !now.Before(stop) && now.Before(returned) {
								return nil, errors.New("connection refused")
							}
							return accept(ctx, n, a)
						}})
						defer r.stop()
						time.Sleep(time.Until(stop))
						for len(r.masters) > 0 {
							(<-r.masters).Close()
						}
						<-r.Ready()
						if took := time.Since(returned.Add(refuses)); took > 2*time.Second {
							t.Errorf("back after %s", took)
						}
					})
				})
			}
		}
	}
}

// TestSessionRefusedAndDropped: a master refuses us, and ends each connection. It is contacted once a
// second, also after a long time. One that sends without end is contacted as often.
func TestSessionRefusedAndDropped(t *testing.T) {
	for name, end := range map[string]func(m *agentxtest.Master){
		"drops": func(m *agentxtest.Master) { m.Close() },
		"sends": func(m *agentxtest.Master) {
			for range 100 {
				m.SendRaw(make([]byte, 1<<10))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refuse := agentxtest.Refuse(pdu.TypeRegister, pdu.ErrorDuplicateRegistration)
				r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}}
				var attempts atomic.Int32
				accept := agentxtest.Dial(func(conn net.Conn, id uint32) {
					closed := make(chan struct{}, 1)
					m := agentxtest.NewMaster(conn, id, func(h agentx.Header, p agentx.Payload) *agentx.Response {
						if p.Type() == pdu.TypeClose {
							closed <- struct{}{}
						}
						return refuse(h, p)
					})
					<-closed
					end(m)
				})
				r.start(agentx.Config{Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
					attempts.Add(1)
					return accept(ctx, n, a)
				}})
				defer r.stop()
				time.Sleep(5*time.Minute + time.Millisecond)
				if n := attempts.Load(); n < 295 || n > 310 {
					t.Errorf("%d attempts in five minutes", n)
				}
			})
		})
	}
}

// TestSessionReasonChanges: each change of the reason has a log line, but only one a minute for each
// reason, whose number of suppressed lines follows.
func TestSessionReasonChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied := &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}
		missing := &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.ENOENT)}
		attempts := 0
		r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}}
		r.start(agentx.Config{Network: "unix", Address: "sock", Dial: func(context.Context, string, string) (net.Conn, error) {
			attempts++
			if attempts%2 == 0 {
				return nil, denied
			}
			return nil, missing
		}})
		defer r.stop()
		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		st := r.Stats()
		if st.Reason != agentx.NoMaster && st.Reason != agentx.PermissionDenied {
			t.Errorf("reason %q", st.Reason)
		}
		if err := st.LastError; !errors.Is(err, os.ErrPermission) && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("last error %v", err)
		}
		const who = " network=unix address=sock "
		want := []string{
			`level=WARN msg="agentx: no connection to the master agent; will retry"` + who + `err="dial unix: connect: no such file or directory"`,
			`level=WARN msg="agentx: permission denied at the master agent's socket; will retry"` + who + `err="dial unix: connect: permission denied"`,
		}
		if diff := cmp.Diff(want, r.log.lines()); diff != "" {
			t.Errorf("log of the first minute (-want +got):\n%s", diff)
		}
		time.Sleep(3 * time.Second)
		log := r.log.lines()
		if len(log) != 4 || !strings.Contains(log[2], " suppressed=") || !strings.Contains(log[3], " suppressed=") {
			t.Errorf("log of the second minute %q", log)
		}
	})
}

// TestSessionPermissionDenied: a master listens, and the mode of its socket keeps us out.
func TestSessionPermissionDenied(t *testing.T) {
	address := agentxtest.Listen(t, "unix", func(conn net.Conn, _ uint32) { conn.Close() })
	if err := os.Chmod(address, 0); err != nil {
		t.Fatal(err)
	}
	failed := make(chan struct{}, 1000)
	r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}}
	r.start(agentx.Config{Network: "unix", Address: address, Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
		failed <- struct{}{}
		return dialUnprivileged(ctx, n, a)
	}})
	<-failed
	<-failed // so the first attempt is recorded
	r.stop()
	if st := r.Stats(); st.Reason != agentx.PermissionDenied {
		t.Errorf("statistics %+v", st)
	}
	if log := r.log.lines(); len(log) != 1 || !strings.Contains(log[0], `msg="agentx: permission denied at the master agent's socket; will retry"`) {
		t.Errorf("log %q", log)
	}
}

// dialUnprivileged connects with the rights of nobody, if the test runs as root.
func dialUnprivileged(ctx context.Context, network, address string) (net.Conn, error) {
	if os.Geteuid() == 0 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		const nobody = 65534
		_ = syscall.Setfsuid(nobody)
		defer func() { _ = syscall.Setfsuid(0) }()
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// TestSessionSince: before the first attempt has ended the time of the state is that of New.
func TestSessionSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := agentx.New(agentx.Config{}, agentx.NewFixture(t, 0).Tree)
		created := time.Now()
		time.Sleep(time.Minute)
		if st := sub.Stats(); st.Connected || st.Reason != "" || !st.Since.Equal(created) {
			t.Errorf("statistics %+v", st)
		}
	})
}
