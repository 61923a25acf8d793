package api

// AccountedSession is a live session that has a method list which makes records: an "active
// accounted action" of S1 table 14 and S2 table 4.
type AccountedSession struct {
	Session
	// Decision was made at the first packet of the session. It is Accounted.
	Decision Decision `json:"decision"`
	// Elapsed is the time since the session started, in whole seconds, by the daemon's own clock: it
	// does not step with the clock of the NAS or of the host.
	Elapsed uint32 `json:"elapsed"`
	// Privilege is the privilege level of the user on this line: 15 if one of the user's listed
	// sessions there has the Service-Type Administrative or Callback-Administrative, else 1.
	Privilege int `json:"privilege"`
	// Pairs describe the session with the names of TACACS+ (RFC 8907 section 8), as "show
	// accounting" of S1 does.
	Pairs []Attribute `json:"pairs"`
}

// AccountedHead precedes the sessions in the answer to PathAccounting. The sessions are in the order
// of their NASes, lines, users and ids. Query.Limit limits their number.
type AccountedHead struct {
	Total     int `json:"total"`     // live sessions, regardless of the filter
	Matched   int `json:"matched"`   // sessions that match the filter, also those that are not accounted
	Accounted int `json:"accounted"` // sessions that match and are accounted, regardless of the limit
}
