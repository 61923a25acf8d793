package apiclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/cmd/internal/api"
)

// slow is a daemon that answers after some time, and says meanwhile that it is at work.
type slow struct {
	reports []textproto.MIMEHeader // one each second
	silence time.Duration          // after them, before the answer
}

func (s *slow) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for _, h := range s.reports {
		if err := wait(time.Second); err != nil {
			return nil, err
		}
		if err := httptrace.ContextClientTrace(ctx).Got1xxResponse(http.StatusProcessing, h); err != nil {
			return nil, err
		}
	}
	if err := wait(s.silence); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader([]byte(`{"matched":0,"cleared":0,"sessions":[]}`)))}, nil
}

// TestProgress: the timeout begins again with each report of the daemon, and no sooner.
func TestProgress(t *testing.T) {
	report := func(done, total string) textproto.MIMEHeader {
		return textproto.MIMEHeader{api.HeaderDone: {done}, api.HeaderTotal: {total}}
	}
	for name, tt := range map[string]struct {
		daemon slow
		want   error
		seen   string
	}{
		"quick":               {slow{nil, time.Second}, nil, ""},
		"silent":              {slow{nil, 3 * time.Second}, ErrTimeout, ""},
		"long":                {slow{[]textproto.MIMEHeader{report("1", "3"), report("2", "3"), report("3", "3"), report("3", "3")}, time.Second}, nil, "1/3 2/3 3/3 3/3"},
		"long without a text": {slow{[]textproto.MIMEHeader{{}, report("x", "3"), report("1", ""), {}}, time.Second}, nil, ""},
		"silent then":         {slow{[]textproto.MIMEHeader{report("1", "3")}, 3 * time.Second}, ErrTimeout, "1/3"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := New("unused", 2*time.Second)
				c.http.Transport = &tt.daemon
				var seen []string
				list, err := c.Clear(t.Context(), api.DisconnectRequest{All: true}, func(done, total int) {
					seen = append(seen, string(rune('0'+done))+"/"+string(rune('0'+total)))
				})
				if err == nil {
					defer list.Close()
				}
				if !errors.Is(err, tt.want) || strings.Join(seen, " ") != tt.seen {
					t.Errorf("%v, progress %q, want %q", err, seen, tt.seen)
				}
			})
		})
	}
}
