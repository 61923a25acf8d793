package cas

import (
	"math"
	"time"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// statisticsEntry is casStatisticsEntry, which augments casConfigEntry: its rows are the active ones.
var statisticsEntry = Root.Append(2, 1, 1)

// casState values.
const (
	stateUp   = 1
	stateDead = 2
)

// noStats are the statistics of a function that we do not use a server for.
var noStats servers.Stats

// statisticsColumns are casStatisticsGroup. A RADIUS server has no distinct authorization function, so
// it has no columns of authorization (RFC 3416: noSuchInstance). We never ask a TACACS+ server to
// authorize anything, so its are 0.
var statisticsColumns = concat(
	function(1, "casAuthen", activeRows, func(r *row) *servers.Stats { return &r.entry.Authentication }),
	function(9, "casAuthor", tacacsRows, func(*row) *servers.Stats { return &noStats }),
	function(17, "casAcct", activeRows, func(r *row) *servers.Stats { return &r.entry.Accounting }),
	[]column{
		readOnly(25, "casState", mib.Integer32, activeRows, func(r *row, v *mib.Value) { v.SetInteger32(casState(&r.entry.State)) }),
		readOnly(26, "casCurrentStateDuration", mib.Integer32, activeRows, func(r *row, v *mib.Value) {
			v.SetInteger32(interval(r.entry.State.Duration(r.now)))
		}),
		readOnly(27, "casPreviousStateDuration", mib.Integer32, activeRows, func(r *row, v *mib.Value) {
			v.SetInteger32(interval(r.entry.State.Previous))
		}),
		readOnly(28, "casTotalDeadTime", mib.Integer32, activeRows, func(r *row, v *mib.Value) {
			v.SetInteger32(interval(r.entry.State.TotalDead))
		}),
		readOnly(29, "casDeadCount", mib.Counter32, activeRows, func(r *row, v *mib.Value) { v.SetCounter32(r.entry.State.Deaths) }),
	},
)

func concat(lists ...[]column) (all []column) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func readOnly(sub uint32, name string, t mib.Type, rows *mib.Rows[*state, *row], get func(*row, *mib.Value)) column {
	return column{Def: mib.Def{Name: name, OID: mib.OID{sub}, Type: t, Access: mib.ReadOnly}, Rows: rows, Get: get}
}

// function returns the columns of one function of a server, from the first one's number on.
func function(sub uint32, prefix string, rows *mib.Rows[*state, *row], stats func(*row) *servers.Stats) []column {
	counter := func(n uint32, name string, get func(*servers.Stats) uint64) column {
		return readOnly(sub+n, prefix+name, mib.Counter32, rows, func(r *row, v *mib.Value) { v.SetCounter32(get(stats(r))) })
	}
	return []column{
		counter(0, "Requests", (*servers.Stats).CasRequests),
		counter(1, "RequestTimeouts", (*servers.Stats).CasRequestTimeouts),
		counter(2, "UnexpectedResponses", (*servers.Stats).CasUnexpectedResponses),
		counter(3, "ServerErrorResponses", (*servers.Stats).CasServerErrorResponses),
		counter(4, "IncorrectResponses", (*servers.Stats).CasIncorrectResponses),
		readOnly(sub+5, prefix+"ResponseTime", mib.Integer32, rows, func(r *row, v *mib.Value) {
			v.SetInteger32(interval(stats(r).CasResponseTime()))
		}),
		counter(6, "TransactionSuccesses", (*servers.Stats).CasTransactionSuccesses),
		counter(7, "TransactionFailures", (*servers.Stats).CasTransactionFailures),
	}
}

func casState(l *servers.Lifetime) int32 {
	if l.Dead {
		return stateDead
	}
	return stateUp
}

// interval converts a duration to a TimeInterval: hundredths of a second, 0..2^31-1 (RFC 2579).
func interval(d time.Duration) int32 {
	return int32(min(max(d/(10*time.Millisecond), 0), math.MaxInt32))
}
