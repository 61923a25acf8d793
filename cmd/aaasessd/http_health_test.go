package main

import (
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"aaasess/store"
)

// hold takes a mutex of a part of the daemon, which is in an unexported field, as a goroutine would that
// never releases it.
func hold(t *testing.T, part any, field string) (release func()) {
	t.Helper()
	v := reflect.ValueOf(part).Elem().FieldByName(field)
	if !v.IsValid() || v.Type() != reflect.TypeFor[sync.Mutex]() {
		t.Fatalf("%T has no mutex %s", part, field)
	}
	mu := (*sync.Mutex)(v.Addr().UnsafePointer())
	mu.Lock()
	return mu.Unlock
}

// TestLocksOfHealth: a lock of each part of the daemon that nobody releases is noticed.
func TestLocksOfHealth(t *testing.T) {
	l := launch(t, authConfig(t, newAuthServer(t, nil)), environment{})
	for name, part := range map[string]any{
		"the table": l.d.table, "the logins": l.d.admissions, "the methods": l.d.methods, "the store": l.d.store, "the server groups": l.d.authentication.groups, "the servers": l.d.radius,
	} {
		t.Run(name, func(t *testing.T) {
			release := sync.OnceFunc(hold(t, part, "mu"))
			defer release()
			h, ended := &health{daemon: l.d}, make(chan struct{})
			go func() {
				defer close(ended)
				h.locks()
			}()
			eventually(t, "it waits for the lock", func() bool {
				b := make([]byte, 1<<20)
				for g := range strings.SplitSeq(string(b[:runtime.Stack(b, true)]), "\n\n") {
					if strings.Contains(g, "(*health).locks") && strings.Contains(g, "[sync.Mutex.Lock") {
						return true
					}
				}
				return false
			})
			release()
			<-ended
		})
	}
}

// TestHealthOfHang: while a lock is held, /healthz and /readyz answer 503 and say so; then all is well.
func TestHealthOfHang(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	release := sync.OnceFunc(hold(t, l.d.methods, "mu"))
	defer release()
	var wait sync.WaitGroup
	for _, path := range []string{"/healthz", "/readyz"} {
		wait.Go(func() {
			if code, body := l.get(path); code != http.StatusServiceUnavailable || body != "the daemon hangs: a lock is not free since 5s\n" {
				t.Errorf("%s: %d %q", path, code, body)
			}
		})
	}
	wait.Wait()
	release()
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, body := l.get(path); code != http.StatusOK || body != "ok\n" {
			t.Errorf("%s: then %d %q", path, code, body)
		}
	}
}

// TestHealthOfBlockedCallback: while what follows a write to disk does not end, NASes get no answers, and
// /healthz says so.
func TestHealthOfBlockedCallback(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	blocked, goOn := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	l.d.store.Commit(store.Change{}, func(error) {
		close(blocked)
		<-goOn
	})
	<-blocked
	var code int
	var body string
	eventually(t, "/healthz notices", func() bool {
		code, body = l.get("/healthz")
		return code == http.StatusServiceUnavailable && body == "the daemon hangs: a callback of the store does not return\n"
	}, &code, &body)
	release()
	eventually(t, "all is well again", func() bool { code, _ = l.get("/healthz"); return code == http.StatusOK }, &code)
}

// TestReadyzAtTheEnd: while the daemon ends and waits for the answer to its Accounting-Off, it is not
// ready, but alive.
func TestReadyzAtTheEnd(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	text := with(t, relayConfig(t, "isp", u), "radius:\n", "http: {listen: [\"127.0.0.1:0\"]}\nradius:\n", "timeout: 100ms, retransmit: 0, hold-down: 0s}", "timeout: 2s, retransmit: 0, hold-down: 0s, acct-on-off: {}}")
	l := launch(t, text, environment{})
	eventually(t, "it is ready", func() bool { code, _ := l.get("/readyz"); return code == http.StatusOK })
	u.setSilent(true)
	l.cancel()
	var code int
	var body string
	eventually(t, "it is ending", func() bool {
		code, body = l.get("/readyz")
		return code == http.StatusServiceUnavailable && strings.HasPrefix(body, "the daemon is ending\n")
	}, &code, &body)
	if code, body := l.get("/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: %d %q", code, body)
	}
	u.setSilent(false)
	if err := l.wait(); err != nil {
		t.Error(err)
	}
}
