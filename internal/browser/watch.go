package browser

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	pageapi "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch notes what happens in a tab. Chromium's events come in a goroutine of their own.
type watch struct {
	dialog func() // ends a dialog

	mu       sync.Mutex
	origins  []string // that may be asked
	expected []string // parts of problems that are none
	found    []string
	requests []string
}

// event notes one event.
func (w *watch) event(e any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := e.(type) {
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.URL)
		if !slices.ContainsFunc(w.origins, func(o string) bool { return strings.HasPrefix(e.Request.URL, o) }) {
			w.found = append(w.found, "request to "+e.Request.URL)
		}
	case *pageapi.EventJavascriptDialogOpening:
		w.found = append(w.found, fmt.Sprintf("dialog %s: %s", e.Type, e.Message))
		go w.dialog() // a command waits for the events before it
	case *pageapi.EventWindowOpen:
		w.found = append(w.found, "window "+e.URL)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		w.found = append(w.found, "exception: "+text)
	case *runtime.EventConsoleAPICalled:
		text := ""
		for _, arg := range e.Args {
			text += " " + string(arg.Value)
		}
		w.found = append(w.found, fmt.Sprintf("console: %s:%s", e.Type, text))
	case *log.EventEntryAdded:
		w.found = append(w.found, fmt.Sprintf("log: %s: %s %s %s", e.Entry.Level, e.Entry.Source, e.Entry.Text, e.Entry.URL))
	}
}

// allow says which requests are no problem.
func (w *watch) allow(origin string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.origins = append(w.origins, origin)
}

func (w *watch) expect(part string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, part)
}

func (w *watch) requested() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

func (w *watch) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.found)
}

// problems returns what was not expected.
func (w *watch) problems() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.found {
		if !slices.ContainsFunc(w.expected, func(part string) bool { return strings.Contains(f, part) }) {
			out = append(out, f)
		}
	}
	return out
}
