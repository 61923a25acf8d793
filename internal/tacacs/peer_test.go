package tacacs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nwaples/tacplus"
	"pgregory.net/rapid"
)

// quiet is how nwaples/tacplus connects here: with goldenKey and without a log.
func quiet() tacplus.ConnConfig {
	return tacplus.ConnConfig{Secret: []byte(goldenKey), Log: func(...any) {}}
}

// readPacket reads a packet.
func readPacket(r io.Reader) ([]byte, error) {
	b := make([]byte, HeaderLen)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	b = append(b, make([]byte, h.Length)...)
	_, err = io.ReadFull(r, b[HeaderLen:])
	return b, err
}

func theirs(r AcctRequest) *tacplus.AcctRequest {
	return &tacplus.AcctRequest{
		Flags: uint8(r.Flags), AuthenMethod: r.AuthenMethod, PrivLvl: r.PrivLvl, AuthenType: r.AuthenType, AuthenService: r.AuthenService,
		User: r.User, Port: r.Port, RemAddr: r.RemAddr, Arg: r.Args,
	}
}

// askPeer lets the client of nwaples/tacplus send a request, and answers with this body. It returns
// the packet that it sent, and what it read.
func askPeer(t require, request AcctRequest, body []byte) (sent []byte, reply *tacplus.AcctReply, err error) {
	near, far := net.Pipe()
	defer near.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if sent, err = readPacket(near); err != nil {
			return
		}
		h, _ := ParseHeader(sent[:HeaderLen])
		_, err = near.Write(packet(Header{Version: Version, Type: TypeAccounting, Seq: 2, Session: h.Session}, body))
	}()
	client := tacplus.Client{ConnConfig: quiet(), DialContext: func(context.Context, string, string) (net.Conn, error) { return far, nil }}
	reply, sendErr := client.SendAcctRequest(context.Background(), theirs(request))
	near.Close()
	if <-done; err != nil {
		t.Fatalf("the client of nwaples/tacplus: %v", err)
	}
	return sent, reply, sendErr
}

// require is a test, or a check of rapid.
type require interface{ Fatalf(string, ...any) }

// peerHandler answers requests and keeps the last one.
type peerHandler struct {
	tacplus.RequestHandler
	got *tacplus.AcctRequest
}

func (h *peerHandler) HandleAcctRequest(_ context.Context, a *tacplus.AcctRequest, _ *tacplus.ServerSession) *tacplus.AcctReply {
	h.got = a
	return &tacplus.AcctReply{Status: tacplus.AcctStatusSuccess, ServerMsg: "a message", Data: "some data"}
}

// servePeer gives the server of nwaples/tacplus a request. It returns what it read, nil if nothing,
// and its answer.
func servePeer(t require, body []byte) (*tacplus.AcctRequest, []byte) {
	near, far := net.Pipe()
	defer near.Close()
	handler, done := &peerHandler{}, make(chan struct{})
	go func() {
		defer close(done)
		(&tacplus.ServerConnHandler{Handler: handler, ConnConfig: quiet()}).Serve(far)
	}()
	if _, err := near.Write(packet(header(1, 0), body)); err != nil {
		t.Fatalf("the server of nwaples/tacplus: %v", err)
	}
	answer, err := readPacket(near)
	if err != nil {
		t.Fatalf("the server of nwaples/tacplus: %v", err)
	}
	near.Close()
	<-done
	return handler.got, answer
}

// drawRequest draws a request that can be encoded.
func drawRequest(t *rapid.T) AcctRequest {
	field := rapid.StringN(0, 60, MaxField)
	octet := rapid.Byte()
	return AcctRequest{
		Flags: AcctFlags(octet.Draw(t, "flags")), AuthenMethod: octet.Draw(t, "method"), PrivLvl: octet.Draw(t, "level"), AuthenType: octet.Draw(t, "type"), AuthenService: octet.Draw(t, "service"),
		User: field.Draw(t, "user"), Port: field.Draw(t, "port"), RemAddr: field.Draw(t, "rem_addr"),
		Args: rapid.SliceOfN(field, 0, 40).Draw(t, "args"),
	}
}

// TestClientOfPeer: what the client of nwaples/tacplus sends is what we would send, and it reads
// our reply.
func TestClientOfPeer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		request := drawRequest(t)
		reply := AcctReply{Status(rapid.Byte().Draw(t, "status")), rapid.String().Draw(t, "msg"), rapid.String().Draw(t, "data")}
		body, err := AppendAcctReply(nil, &reply)
		if err != nil {
			t.Fatal(err)
		}
		sent, read, err := askPeer(t, request, body)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := ParseHeader(sent[:HeaderLen])
		want, err := AppendAcctRequest(nil, &request)
		if err != nil {
			t.Fatal(err)
		}
		if b := packet(h, want); !bytes.Equal(b, sent) {
			t.Errorf("ours   %x\ntheirs %x", b, sent)
		}
		if got := (AcctReply{Status(read.Status), read.ServerMsg, read.Data}); got != reply {
			t.Errorf("it read %+v, want %+v", got, reply)
		}
	})
}

// FuzzParseAcctRequest compares ParseAcctRequest with the server of nwaples/tacplus. There is one
// difference: it ignores octets behind the last argument.
func FuzzParseAcctRequest(f *testing.F) {
	for _, golden := range []string{goldenStart, goldenEmpty} {
		_, body := parse(f, octets(f, golden), goldenKey)
		f.Add(body)
		f.Add(body[:len(body)-1])
		f.Add(append(body, 0))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > MaxBody {
			t.Skip()
		}
		got, err := ParseAcctRequest(body)
		peer, answer := servePeer(t, body)
		h, replyBody := parse(t, answer, goldenKey)
		reply, replyErr := ParseAcctReply(replyBody)
		if replyErr != nil || h.Seq != 2 || h.Session != 0xdeadbeef {
			t.Fatalf("answer %x: %v", answer, replyErr)
		}
		if err != nil {
			if !errors.Is(err, ErrLengths) {
				t.Fatal(err)
			}
			if peer != nil {
				again, err := AppendAcctRequest(nil, &AcctRequest{Args: peer.Arg, User: peer.User, Port: peer.Port, RemAddr: peer.RemAddr})
				if err != nil || len(again) >= len(body) {
					t.Fatalf("nwaples/tacplus accepts %x as %+v", body, peer)
				}
			} else if reply.Status != StatusError {
				t.Fatalf("nwaples/tacplus answers %v", reply.Status)
			}
			return
		}
		if diff := cmp.Diff(peer, theirs(got), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if want := (AcctReply{StatusSuccess, "a message", "some data"}); reply != want {
			t.Fatalf("reply %+v", reply)
		}
		if again, err := AppendAcctRequest(nil, &got); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x, %v", again, err)
		}
	})
}

// FuzzParseAcctReply compares ParseAcctReply with the client of nwaples/tacplus, with the same
// difference.
func FuzzParseAcctReply(f *testing.F) {
	for _, golden := range []string{goldenSuccess, goldenError, goldenUnencrypted} {
		_, body := parse(f, octets(f, golden), goldenKey)
		f.Add(body)
		f.Add(body[:len(body)-1])
		f.Add(append(body, 0))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > MaxBody {
			t.Skip()
		}
		got, err := ParseAcctReply(body)
		_, peer, peerErr := askPeer(t, AcctRequest{}, body)
		if err != nil {
			if !errors.Is(err, ErrLengths) {
				t.Fatal(err)
			}
			if peerErr == nil && replyFixed+len(peer.ServerMsg)+len(peer.Data) >= len(body) {
				t.Fatalf("nwaples/tacplus accepts %x as %+v", body, peer)
			}
			return
		}
		if peerErr != nil || got != (AcctReply{Status(peer.Status), peer.ServerMsg, peer.Data}) {
			t.Fatalf("%+v, nwaples/tacplus %+v, %v", got, peer, peerErr)
		}
		if again, err := AppendAcctReply(nil, &got); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x, %v", again, err)
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	for _, golden := range []string{goldenStart, goldenUnencrypted} {
		f.Add(octets(f, golden)[:HeaderLen])
	}
	f.Add([]byte("HTTP/1.1 400"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			if !errors.Is(err, ErrHeader) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		if again := AppendHeader(nil, h); !bytes.Equal(again, b) || h.Length > MaxBody {
			t.Fatalf("%+v: %x", h, again)
		}
	})
}
