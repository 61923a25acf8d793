package apiclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

const eventHead = "HTTP/1.1 200 OK\r\n"

// events returns the lines of a stream as "alice" and "-3", and its error.
func events(t *testing.T, ctx context.Context, client *apiclient.Client) (out []string, err error) {
	t.Helper()
	stream, err := client.Events(ctx, api.EventFilter{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for line, e := range stream.All() {
		switch {
		case e != nil:
			err = e
		case line.LeftOut > 0:
			out = append(out, "-")
		default:
			out = append(out, line.User)
		}
	}
	return out, err
}

// TestEvents: a stream ends with an error that says why.
func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		name, answer, lines string
		want                error
		text                string
	}{
		{"an end", "Transfer-Encoding: chunked\r\n\r\n11\r\n{\"user\":\"alice\"}\n\r\nd\r\n{\"leftOut\":3}\r\n0\r\n\r\n", "alice -", apiclient.ErrEnded, "the daemon has ended"},
		{"a crash between lines", "Transfer-Encoding: chunked\r\n\r\n11\r\n{\"user\":\"alice\"}\n\r\n", "alice", apiclient.ErrEnded, ""},
		{"a crash within a line", "\r\n{\"user\":\"alice\"}\n{\"us", "alice", apiclient.ErrEnded, ""},
		{"no JSON", "\r\nhello", "", apiclient.ErrInvalid, "wrong JSON"},
		{"another type", "\r\n{\"leftOut\":\"x\"}", "", apiclient.ErrInvalid, `field "leftOut": found text`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := events(t, t.Context(), fake(t, eventHead+tt.answer, false))
			if strings.Join(got, " ") != tt.lines || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestQuietEvents: however long no event comes, the timeout does not end a stream. Its context does.
func TestQuietEvents(t *testing.T) {
	client := fake(t, eventHead+"\r\n{\"user\":\"alice\"}\n", true)
	why := errors.New("why")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, why) // more than the client's timeout
	defer cancel()
	if got, err := events(t, ctx, client); len(got) != 1 || !errors.Is(err, why) {
		t.Errorf("%q, %v", got, err)
	}
}
