package localload

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	localreport "aaasess/sessions/local/report"
)

// Result is the result of Send.
type Result struct {
	Took     time.Duration // from the first start to the last answer
	P50, P99 time.Duration // of the answers
}

// Send reports the starts of n sessions, with one connection for each client. Each client waits for an
// answer before its next start. Answers other than 200 are an error.
func Send(ctx context.Context, socket string, clients, n int) (Result, error) {
	took := make([][]time.Duration, clients)
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for c := range clients {
		group.Go(func() (err error) {
			took[c], err = client(ctx, socket, c, clients, n)
			return err
		})
	}
	err := group.Wait()
	r := Result{Took: time.Since(began)}
	if all := slices.Concat(took...); len(all) > 0 {
		slices.Sort(all)
		r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
	}
	return r, err
}

// client reports every clients-th session from the first on.
func client(ctx context.Context, socket string, first, clients, n int) (took []time.Duration, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	r := bufio.NewReader(conn)
	var b bytes.Buffer
	for i := first; i < n; i += clients {
		b.Reset()
		appendRequest(&b, i)
		sent := time.Now()
		if _, err := conn.Write(b.Bytes()); err != nil {
			return took, err
		}
		if err := readAnswer(r); err != nil {
			return took, err
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}

// appendRequest appends the request for the start of session i. The report has what an Accounting-Request
// of package nasload has.
func appendRequest(b *bytes.Buffer, i int) {
	body := fmt.Sprintf(`{"source":"bench","session":"%016X","user":"user%07d@isp.example","address":"10.%d.%d.%d","callingStation":"02-00-%02X-%02X-%02X-%02X",`+
		`"nasPort":%d,"attributes":[{"name":"Framed-Protocol","value":"PPP"},{"name":"Class","value":"0x30313233343536373839616263646566"},{"name":"NAS-Port-Type","value":"Ethernet"}]}`,
		i, i, i>>16&255, i>>8&255, i&255, i>>24&255, i>>16&255, i>>8&255, i&255, i)
	fmt.Fprintf(b, "POST %s HTTP/1.1\r\nHost: local\r\nContent-Length: %d\r\n\r\n%s", localreport.Start.Path(), len(body), body)
}

// readAnswer reads an answer. net/http's client would take as much time as the daemon.
func readAnswer(r *bufio.Reader) error {
	status, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return fmt.Errorf("answered %s", strings.TrimSpace(status))
	}
	length := -1
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		name, value, isHeader := strings.Cut(strings.TrimSpace(line), ": ")
		if !isHeader {
			break
		}
		if http.CanonicalHeaderKey(name) == "Content-Length" {
			if length, err = strconv.Atoi(value); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without Content-Length")
	}
	_, err = r.Discard(length)
	return err
}
