package tacacs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestParseHeaderErrors(t *testing.T) {
	whole := AppendHeader(nil, Header{Version: Version, Type: TypeAccounting, Seq: 1, Length: MaxBody})
	changed := func(at int, octets ...byte) []byte {
		b := bytes.Clone(whole)
		copy(b[at:], octets)
		return b
	}
	for name, tt := range map[string]struct {
		b    []byte
		want error
	}{
		"whole":                      {whole, nil},
		"another minor version":      {changed(0, 0xc1), nil},
		"another type":               {changed(1, 9), nil},
		"nothing":                    {nil, ErrHeader},
		"short":                      {whole[:HeaderLen-1], ErrHeader},
		"an octet behind it":         {append(bytes.Clone(whole), 0), ErrHeader},
		"another major version":      {changed(0, 0xd0), ErrVersion},
		"the answer of a web server": {[]byte("HTTP/1.1 400"), ErrVersion},
		"too large":                  {changed(8, 0, 1, 0, 1), ErrTooLarge},
		"as large as there can be":   {changed(8, 255, 255, 255, 255), ErrTooLarge},
	} {
		if _, err := ParseHeader(tt.b); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// TestParseLengths: a body of which one octet is missing, or which has one more, is an error
// wherever its fields end.
func TestParseLengths(t *testing.T) {
	request, err := AppendAcctRequest(nil, benchRequest())
	if err != nil {
		t.Fatal(err)
	}
	reply, err := AppendAcctReply(nil, &AcctReply{StatusError, "disk is full", "x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		body  []byte
		parse func(b []byte) error
	}{
		"request": {request, func(b []byte) error { _, err := ParseAcctRequest(b); return err }},
		"reply":   {reply, func(b []byte) error { _, err := ParseAcctReply(b); return err }},
	} {
		if err := tt.parse(tt.body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range len(tt.body) {
			if err := tt.parse(tt.body[:n]); !errors.Is(err, ErrLengths) {
				t.Errorf("%s: %d octets of %d: %v", name, n, len(tt.body), err)
			}
		}
		if err := tt.parse(append(bytes.Clone(tt.body), 0)); !errors.Is(err, ErrLengths) {
			t.Errorf("%s with an octet behind it: %v", name, err)
		}
	}
}

func TestAppendAcctRequestErrors(t *testing.T) {
	long := strings.Repeat("x", MaxField)
	args := func(n int, arg string) []string { return slices.Repeat([]string{arg}, n) }
	for name, tt := range map[string]struct {
		request AcctRequest
		want    error
		text    string // part of the error
	}{
		"the longest fields":       {AcctRequest{User: long, Port: long, RemAddr: long, Args: []string{long}}, nil, ""},
		"the most arguments":       {AcctRequest{Args: args(MaxArgs, "a=b")}, nil, ""},
		"a long user":              {AcctRequest{User: long + "x"}, ErrField, "user has 256 octets"},
		"a long port":              {AcctRequest{Port: long + "x"}, ErrField, "port has 256 octets"},
		"a long rem_addr":          {AcctRequest{RemAddr: long + "x"}, ErrField, "rem_addr has 256 octets"},
		"a long argument":          {AcctRequest{Args: []string{"a=b", long + "x"}}, ErrField, "argument 2 has 256 octets"},
		"too many arguments":       {AcctRequest{Args: args(MaxArgs+1, "a=b")}, ErrField, "256 arguments"},
		"as much as each may have": {AcctRequest{User: long, Port: long, RemAddr: long, Args: args(MaxArgs, long)}, ErrTooLarge, ""},
	} {
		b, err := AppendAcctRequest([]byte("before"), &tt.request)
		if !errors.Is(err, tt.want) || err != nil && (string(b) != "before" || !strings.Contains(err.Error(), tt.text)) {
			t.Errorf("%s: %d octets, %v", name, len(b), err)
		}
		if err == nil && len(b)-len("before") > MaxBody {
			t.Errorf("%s: %d octets", name, len(b))
		}
	}
}

func TestAppendAcctReplyErrors(t *testing.T) {
	long := strings.Repeat("x", 65535)
	for name, tt := range map[string]struct {
		reply AcctReply
		want  error
	}{
		"as long as there can be": {AcctReply{ServerMsg: long[:60000], Data: long[:MaxBody-replyFixed-60000]}, nil},
		"a long server_msg":       {AcctReply{ServerMsg: long + "x"}, ErrField},
		"a long data":             {AcctReply{Data: long + "x"}, ErrField},
		"both":                    {AcctReply{ServerMsg: long, Data: "x"}, ErrTooLarge},
	} {
		b, err := AppendAcctReply([]byte("before"), &tt.reply)
		if !errors.Is(err, tt.want) || err != nil && string(b) != "before" {
			t.Errorf("%s: %d octets, %v", name, len(b), err)
		}
	}
}

// TestObfuscate: a body of each length is obfuscated and comes back, with short and with long keys.
func TestObfuscate(t *testing.T) {
	for _, keyLen := range []int{0, 1, shortKey, shortKey + 1, 4 * shortKey} {
		key := Key(strings.Repeat("k", keyLen))
		for n := range 70 {
			want := bytes.Repeat([]byte{7}, n)
			b := bytes.Clone(want)
			Obfuscate(b, header(1, 0), key)
			if n > 8 && bytes.Equal(b, want) {
				t.Fatalf("%d octets stay as they are", n)
			}
			if Obfuscate(b, header(1, 0), key); !bytes.Equal(b, want) {
				t.Fatalf("%d octets, key of %d: %x", n, keyLen, b)
			}
		}
	}
}

// TestAllocations: what is done for each record allocates nothing, on the way to a server and back.
func TestAllocations(t *testing.T) {
	request, scratch := benchRequest(), make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		b := AppendHeader(scratch[:0], header(1, 0))
		b, err := AppendAcctRequest(b, request)
		if err != nil {
			t.Fatal(err)
		}
		Obfuscate(b[HeaderLen:], header(1, 0), goldenKey)
		answer := append(b[:0], 0, 0, 0, 0, 1)
		if _, err := ParseAcctReply(answer); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestStatusString(t *testing.T) {
	for s, want := range map[Status]string{StatusSuccess: "SUCCESS", StatusError: "ERROR", StatusFollow: "FOLLOW", 0: "status 0", 255: "status 255"} {
		if got := s.String(); got != want {
			t.Errorf("%d: %q, want %q", byte(s), got, want)
		}
	}
}

// TestKeyIsNotPrinted: no verb, no encoder and no handler prints a key.
func TestKeyIsNotPrinted(t *testing.T) {
	const key = Key("xyzzy")
	nested := struct {
		Name string
		Key  Key
	}{"a", key}
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%10s"} {
		fmt.Fprintf(&printed, verb+" "+verb+" "+verb+"\n", key, nested, &nested)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(h).Info("log", "key", key, "nested", nested)
	}
	if err := json.NewEncoder(&printed).Encode(nested); err != nil {
		t.Fatal(err)
	}
	printed.WriteString(key.String())
	for _, spelling := range []string{"xyzzy", "78797a7a79", "78797A7A79", "78 79 7a 7a 79", fmt.Sprint([]byte("xyzzy"))} {
		if strings.Contains(printed.String(), spelling) {
			t.Errorf("%q in %s", spelling, printed.String())
		}
	}
}
