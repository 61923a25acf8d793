package apiclient_test

import (
	"errors"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// TestExplain: an answer that cannot be decoded has an error in plain words, with the field.
func TestExplain(t *testing.T) {
	sessions := func(c *apiclient.Client) error {
		list, err := c.Sessions(t.Context(), api.Query{})
		if err != nil {
			return err
		}
		defer list.Close()
		for _, e := range list.All() {
			err = e
		}
		return err
	}
	status := func(c *apiclient.Client) error { _, err := c.Status(t.Context()); return err }
	spool := func(c *apiclient.Client) error { _, err := c.Spool(t.Context()); return err }
	replay := func(c *apiclient.Client) error {
		_, err := c.Replay(t.Context(), api.RecordsRequest{All: true})
		return err
	}
	const uint64Range = "an integer from 0 to 18446744073709551615"
	for _, tt := range []struct {
		name   string
		ask    func(*apiclient.Client) error
		answer string
		want   string // after the text of ErrInvalid
	}{
		{"text for a number", spool, `{"queues":[{"records":"x"}]}`, `field "queues.records": found text, want ` + uint64Range},
		{"below 0", spool, `{"queues":[{"records":-1}]}`, `field "queues.records": found number -1, want ` + uint64Range},
		{"behind a pointer", spool, `{"queues":[{"bytes":true}]}`, `field "queues.bytes": found true or false, want ` + uint64Range},
		{"too large", status, `{"highWaterMark":4294967296}`, `field "highWaterMark": found number 4294967296, want an integer from 0 to 4294967295`},
		{"a number for text", status, `{"version":1}`, `field "version": found a number, want text`},
		{"a list for text", status, `{"version":[]}`, `field "version": found a list, want text`},
		{"text for a list", status, `{"reasons":"x"}`, `field "reasons": found text, want a list`},
		{"a list for an object", status, `[]`, `found a list, want an object`},
		{"an object for true or false", spool, `{"queues":[{"lost":{}}]}`, `field "queues.lost": found an object, want true or false`},
		{"a time", status, `{"started":"yesterday"}`, `found "yesterday", want a time as in RFC 3339`},
		{"a fraction", replay, `{"records":1.5}`, `field "records": found number 1.5, want an integer from -9223372036854775808 to 9223372036854775807`},
		{"cut off", status, `{"started":`, "it ends early"},
		{"no JSON", status, `{"started":yes}`, "wrong JSON at octet 12"},
		{"a head", sessions, `{"total":"x"}`, `field "total": found text, want an integer from -9223372036854775808 to 9223372036854775807`},
		{"a head that is no JSON", sessions, `{"total":x}`, `field "total": wrong JSON`},
		{"a session", sessions, `{"total":1,"sessions":[{"number":"x"}]}`, `field "sessions.number": found text, want an integer from 0 to 4294967295`},
		{"a session that is a number", sessions, `{"total":1,"sessions":[7]}`, `field "sessions": found a number, want an object`},
		{"null for a list", sessions, `{"sessions":null}`, `field "sessions": found null, want a list`},
		{"more after the list", sessions, `{"sessions":[],"total":1}`, `found text, want the end of the object`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.ask(fake(t, "HTTP/1.1 200 OK\r\n\r\n"+tt.answer, false))
			want := apiclient.ErrInvalid.Error() + ": " + tt.want
			if !errors.Is(err, apiclient.ErrInvalid) || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}
