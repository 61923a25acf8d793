package local

import (
	"slices"

	localreport "aaasess/sessions/local/report"
)

// checkMembers rejects members that the verb has no use for: they are mistakes of a hook that nobody
// would notice otherwise.
func (t *translation) checkMembers() {
	const (
		update, stop, fail, call, command = localreport.Update, localreport.Stop, localreport.Fail, localreport.Call, localreport.Command
	)
	counters := []localreport.Verb{update, stop}
	for _, m := range [...]struct {
		pointer string
		given   bool
		verbs   []localreport.Verb
	}{
		{"/sessionTime", t.SessionTime != nil, []localreport.Verb{update, stop, call}},
		{"/inputOctets", t.InputOctets != nil, counters},
		{"/outputOctets", t.OutputOctets != nil, counters},
		{"/inputPackets", t.InputPackets != nil, counters},
		{"/outputPackets", t.OutputPackets != nil, counters},
		{"/terminateCause", t.TerminateCause != "", []localreport.Verb{stop, fail, call}},
		{"/accepted", t.Accepted, []localreport.Verb{fail}},
		{"/stop", t.Report.Stop, []localreport.Verb{call}},
		{"/level", t.Level != 0, []localreport.Verb{command}},
		{"/text", t.Text != "", []localreport.Verb{command}},
		{"/end", t.End != nil, []localreport.Verb{localreport.Start, update}},
	} {
		if m.given && !slices.Contains(m.verbs, t.verb) {
			t.reject(m.pointer, "a %s has none", t.verb)
		}
	}
	if t.verb == call && !t.Report.Stop {
		if t.TerminateCause != "" {
			t.reject("/terminateCause", "a call that is set up has none")
		}
		if t.SessionTime != nil {
			t.reject("/sessionTime", "a call that is set up has none")
		}
	}
}
