package control

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/taps"
)

// streamPause is the time between two reads of a queue. Together with the size of the queue it limits
// what a stream costs: about 10,000 values a second are described and written.
const streamPause = 100 * time.Millisecond

// stream writes the values of a tap that wants selects, as lines of JSON, until the client has gone or
// the daemon ends. What is queued at the end of the daemon is written too. line returns the line of a
// value, or of a number of values that were left out.
func stream[T any](s *Server, w http.ResponseWriter, r *http.Request, tap *taps.Tap[T], wants func(*T) bool, line func(v *T, leftOut uint64) any) {
	select {
	case s.listeners <- struct{}{}:
		defer func() { <-s.listeners }()
	default:
		s.writeError(w, http.StatusServiceUnavailable, fmt.Errorf("more than %d commands show accountable events or the log at the same time", api.MaxListeners))
		return
	}
	listener := tap.Listen(wants)
	defer listener.Close()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // net/http goes on reading to notice a closed connection
	_ = control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/jsonl")
	out := &streamWriter[T]{s, bufio.NewWriterSize(w, 64<<10), control, line}
	if out.flush() == nil { // the client waits for the first octets
		out.run(r, listener)
	}
}

// streamWriter writes values of type T as lines of JSON.
type streamWriter[T any] struct {
	s *Server
	*bufio.Writer
	control *http.ResponseController
	line    func(v *T, leftOut uint64) any // v is nil if leftOut is not 0
}

// run writes values until the client has gone or the daemon ends.
func (w *streamWriter[T]) run(r *http.Request, l *taps.Listener[T]) {
	for ending := false; !ending; {
		select {
		case item := <-l.Items():
			if w.item(&item) != nil {
				return
			}
		case <-w.s.ending:
			ending = true
		case <-r.Context().Done():
			return
		}
		if w.drain(l) != nil {
			return
		}
		select {
		case <-time.After(streamPause):
		case <-w.s.ending:
		case <-r.Context().Done():
			return
		}
	}
}

// drain writes what is in the queue, but not more than it can hold: others may fill it meanwhile.
func (w *streamWriter[T]) drain(l *taps.Listener[T]) error {
	for range taps.QueueSize {
		select {
		case item := <-l.Items():
			if err := w.item(&item); err != nil {
				return err
			}
			continue
		default:
		}
		if err := w.leftOut(l.LeftOut()); err != nil {
			return err
		}
		break
	}
	return w.flush()
}

// item writes a value, and before it how many are missing.
func (w *streamWriter[T]) item(i *taps.Item[T]) error {
	if err := w.leftOut(i.LeftOut); err != nil {
		return err
	}
	return w.write(w.line(&i.Value, 0))
}

func (w *streamWriter[T]) leftOut(n uint64) error {
	if n == 0 {
		return nil
	}
	return w.write(w.line(nil, n))
}

func (w *streamWriter[T]) write(line any) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// flush sends what has been written.
func (w *streamWriter[T]) flush() error {
	if err := w.Flush(); err != nil {
		return err
	}
	return w.control.Flush()
}
