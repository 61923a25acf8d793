package control

import (
	"bufio"
	"encoding/json"
	"net/http"
	"time"
)

// listWriter writes a list of sessions without holding it in memory.
type listWriter struct {
	*bufio.Writer
	control *http.ResponseController
	sep     string
}

// newListWriter starts an answer with the fields of head.
func newListWriter(w http.ResponseWriter, head any) (*listWriter, error) {
	b, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Content-Type", "application/json")
	control := http.NewResponseController(w)
	l := &listWriter{Writer: bufio.NewWriterSize(deadlineWriter{w, control}, 64<<10), control: control, sep: "\n"}
	_, err = l.WriteString(string(b[:len(b)-1]) + `,"sessions":[`)
	return l, err
}

// write adds a session in its JSON form.
func (l *listWriter) write(session any) error {
	b, err := json.Marshal(session)
	if err != nil {
		return err
	}
	_, _ = l.WriteString(l.sep) // a bufio.Writer returns its first error again
	l.sep = ",\n"
	_, err = l.Write(b)
	return err
}

// flush sends what has been written.
func (l *listWriter) flush() error {
	if err := l.Flush(); err != nil {
		return err
	}
	return l.control.Flush()
}

// end completes the list.
func (l *listWriter) end() error {
	_, _ = l.WriteString("\n]}\n")
	return l.flush()
}

// deadlineWriter sets a new deadline for each write.
type deadlineWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w deadlineWriter) Write(b []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(sendTimeout))
	return w.ResponseWriter.Write(b)
}
