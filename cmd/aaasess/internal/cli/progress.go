package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
)

const (
	// progressAfter is how long a command runs before it shows its progress.
	progressAfter = time.Second
	// progressEvery is the time between two lines of progress.
	progressEvery = 500 * time.Millisecond

	EraseLine = "\r\x1b[K" // the cursor is at its start then
)

// Progress shows a line about what a command does, on the standard error, if that is a terminal that can
// erase it and the command runs for more than a second. text is called from another goroutine; "" leaves
// the line as it is. The caller calls done before it prints anything else; done may be called again.
func (g *Global) Progress(ctx context.Context, text func(context.Context) string) (done func()) {
	if !g.ShowsProgress() {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		shown := false
		for wait := progressAfter; ; wait = progressEvery {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				if shown {
					fmt.Fprint(g.Err, EraseLine)
				}
				return
			}
			if line := text(ctx); line != "" && ctx.Err() == nil {
				fmt.Fprint(g.Err, EraseLine+human.Printable(line))
				shown = true
			}
		}
	})
	return func() { cancel(); group.Wait() }
}

// ShowsProgress reports whether the standard error is a terminal that can erase a line.
func (g *Global) ShowsProgress() bool { return g.ErrTerminal && !isDumb(g.Getenv("TERM")) }

// isDumb reports whether a terminal of this type understands no control sequences.
func isDumb(term string) bool { return term == "" || term == "dumb" }

// OfTotal says how much is done: "replaying: 250 of 1000 records (25%)".
func OfTotal(doing string, done, total int, noun string) string {
	done = min(max(0, done), total)
	text := fmt.Sprintf("%s: %d of %s", doing, done, term.Count(total, noun))
	if total > 0 {
		text += fmt.Sprintf(" (%d%%)", 100*done/total)
	}
	return text
}

// RecordsProgress shows how many set-aside records a request has changed already: the daemon has fewer of
// them then. total is the number of the request; 0: all that are there at the first look.
func (g *Global) RecordsProgress(ctx context.Context, client *apiclient.Client, doing string, total int) (done func()) {
	before := -1
	return g.Progress(ctx, func(ctx context.Context) string {
		status, err := client.Spool(ctx)
		if err != nil {
			return ""
		}
		now := int(min(status.SetAside, 1<<31-1))
		if before < 0 {
			before = now
		}
		all := total
		if all == 0 {
			all = before
		}
		return OfTotal(doing, before-now, all, "record")
	})
}
