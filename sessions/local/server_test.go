package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	localreport "aaasess/sessions/local/report"
)

// asRoot lets the user of the tests do everything.
func asRoot(w *world) *world {
	w.uid = uint32(os.Geteuid())
	return w
}

// TestSocket: everybody may connect, and the socket goes with the Server.
func TestSocket(t *testing.T) {
	w := asRoot(newWorld(t))
	info, err := os.Lstat(w.cfg.Socket)
	if err != nil || info.Mode() != fs.ModeSocket|0o666 {
		t.Fatal(info, err)
	}
	c := w.serve()
	code, body := post(t, c, localreport.Start, []byte(`{`+tun+`,"user":"alice"}`))
	if code != http.StatusOK || !strings.Contains(body, `"user":"alice"`) {
		t.Errorf("%d %s", code, body)
	}
	owner := Owner{ID: uint32(os.Geteuid())}
	if s := w.table.View().Get(1); s == nil || s.NAS.Addr.Zone() != owner.String() {
		t.Errorf("session %+v is not of %v", s, owner)
	}
}

// TestPeerGroups: the kernel says which groups a client is in.
func TestPeerGroups(t *testing.T) {
	w := newWorld(t)
	if os.Geteuid() == 0 {
		w.uid = nobody
	}
	w.SetAccess([]Rule{{Owner{Group: true, ID: uint32(os.Getegid())}, Write}})
	code, body := post(t, w.serve(), localreport.Start, []byte(`{`+tun+`,"user":"alice"}`))
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	want := Owner{Group: true, ID: uint32(os.Getegid())}
	if os.Geteuid() == 0 {
		want = Owner{}
	}
	if s := w.table.View().Get(1); s.NAS.Addr.Zone() != want.String() {
		t.Errorf("the session is of %s, want %v", s.NAS.Addr.Zone(), want)
	}
}

// TestBodyNotAwaited: a request that needs no body keeps its connection no longer than its answer takes,
// whatever body it announces.
func TestBodyNotAwaited(t *testing.T) {
	w := newWorld(t)
	w.serve()
	for request, want := range map[string]string{
		"POST /v1/nothing": "HTTP/1.1 404 ", "POST /v1/sessions/1": "HTTP/1.1 404 ", "POST " + pathOpenAPI: "HTTP/1.1 405 ",
		"GET " + pathOpenAPI: "HTTP/1.1 200 ", "GET /v1/start": "HTTP/1.1 405 ",
	} {
		conn, err := net.Dial("unix", w.cfg.Socket)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(readTimeout / 2))
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n", request)
		b, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(b), want) {
			t.Errorf("%s: %.20q, %v", request, b, err)
		}
		_ = conn.Close()
	}
	who := &connection{uid: eve, groups: func() []uint32 { return nil }}
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), client{}, who), http.MethodPost, localreport.Start.Path(), strings.NewReader("{}"))
	rec := httptest.NewRecorder()
	if w.ServeHTTP(rec, r); rec.Code != http.StatusForbidden || rec.Header().Get("Connection") != "close" {
		t.Errorf("without a right: %d %v", rec.Code, rec.Header())
	}
}

// endless counts what is read of it, and ends at 100 MB.
type endless struct {
	sync.Mutex
	n int
}

func (e *endless) Read(b []byte) (int, error) {
	e.Lock()
	defer e.Unlock()
	if e.n >= 100<<20 {
		return 0, io.EOF
	}
	e.n += len(b)
	return copy(b, strings.Repeat(" ", len(b))), nil
}

// TestLargeBody: 413 for a body of 100 MB, of which hardly anything is read.
func TestLargeBody(t *testing.T) {
	for _, length := range []int64{100 << 20, -1} { // -1: chunks
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			w := asRoot(newWorld(t))
			conn, err := net.Dial("unix", w.cfg.Socket)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			w.serve()
			body := &endless{}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://local"+localreport.Start.Path(), body)
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = length
			written := make(chan struct{})
			go func() { defer close(written); _ = r.Write(conn) }() // fails when the Server closes the connection
			answer, err := http.ReadResponse(bufio.NewReader(conn), r)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != http.StatusRequestEntityTooLarge || !answer.Close {
				t.Errorf("%d, closes: %t", answer.StatusCode, answer.Close)
			}
			_ = conn.SetDeadline(time.Now())
			<-written
			if body.n > 16<<20 {
				t.Errorf("%d octets were sent", body.n)
			}
		})
	}
}

// TestPathsAndMethods: what no mux would answer in JSON.
func TestPathsAndMethods(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		method, path string
		code         int
	}{
		{http.MethodGet, "/v1/start", http.StatusMethodNotAllowed},
		{http.MethodPost, "/v1/nothing", http.StatusNotFound},
		{http.MethodPost, "/v1//start", http.StatusNotFound},
		{http.MethodPost, "/v1/../v1/start", http.StatusNotFound},
		{http.MethodGet, "/", http.StatusNotFound},
	} {
		if r := w.send(ann, tt.method, tt.path, ""); r.Code != tt.code {
			t.Errorf("%s %s: %d", tt.method, tt.path, r.Code)
		}
	}
}

// TestTooManyConnections: clients that say nothing do not keep a report out.
func TestTooManyConnections(t *testing.T) {
	w := asRoot(newWorld(t))
	w.conns.Max = 4
	c := w.serve()
	var silent []net.Conn
	for range 12 {
		conn, err := net.Dial("unix", w.cfg.Socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		silent = append(silent, conn)
	}
	if code, body := post(t, c, localreport.Start, []byte(`{`+tun+`,"user":"a"}`)); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	if _, err := silent[0].Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the oldest: %v", err)
	}
}

// pipes is a listener whose connections are in memory, for tests in which time is fake.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// TestSlowClient: who sends half a report is answered after readTimeout, and disconnected; so is who
// sends nothing.
func TestSlowClient(t *testing.T) {
	for text, want := range map[string]string{
		"POST /v1/start HTTP/1.1\r\nHost: l\r\nContent-Length: 500\r\n\r\n{": "HTTP/1.1 408 ", "POST /v1/sta": "HTTP/1.1 400 ", "": "",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			srv := w.newHTTP()
			srv.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
				return context.WithValue(ctx, client{}, &connection{Conn: conn, uid: ann})
			}
			l := make(pipes)
			ended := make(chan error)
			go func() { ended <- srv.Serve(l) }()
			here, there := net.Pipe()
			l <- there
			if _, err := io.WriteString(here, text); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			answer, err := io.ReadAll(here)
			if took := time.Since(began); err != nil || !strings.HasPrefix(string(answer), want) || want == "" && len(answer) > 0 || took < readTimeout || took > readTimeout+time.Second {
				t.Errorf("%q: %q after %v, %v", text, answer, took, err)
			}
			close(l)
			srv.Close()
			<-ended
			w.wantAccounted()
		})
	}
}

// TestHungClient: a client that sends half a report, and one that goes before its answer, keep
// nobody; the report of the latter is made.
func TestHungClient(t *testing.T) {
	w := asRoot(newWorld(t))
	c := w.serve()
	half, err := net.Dial("unix", w.cfg.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	fmt.Fprintf(half, "POST /v1/start HTTP/1.1\r\nHost: l\r\nContent-Length: 500\r\n\r\n{")
	gone, err := net.Dial("unix", w.cfg.Socket)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"source":"a","session":"gone","user":"a"}`
	fmt.Fprintf(gone, "POST /v1/start HTTP/1.1\r\nHost: l\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	gone.Close()
	for {
		code, answer := post(t, c, localreport.Update, []byte(`{"source":"a","session":"gone"}`))
		if code == http.StatusOK {
			break
		}
		if code != http.StatusNotFound {
			t.Fatalf("%d %s", code, answer)
		}
	}
}
