package control

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// ErrQuery is returned for a query that cannot be understood.
var ErrQuery = errors.New("wrong filter")

// Filter says which sessions are meant: those to which all fields that are set apply; the zero
// Filter means all. As parameters of a URL, or the "filter" of a [DisconnectRequest]:
type Filter struct {
	IDs            []sessions.ID  // id, may be repeated: one of these, see ParseID
	User           string         // user: exactly this User-Name
	Address        netip.Addr     // address: this Framed-IP-Address (IPv4)
	NAS            string         // nas: the address its packets come from, or its name, or name@address
	CallingStation string         // calling-station: this Calling-Station-Id; of MAC addresses any notation
	AcctSessionID  string         // acct-session-id: what the NAS calls the session
	Kind           sessions.Kind  // kind: network, exec, connection
	State          sessions.State // state: active, terminating
}

// Query is a Filter with an order.
type Query struct {
	Filter
	// Sort is one of [Orders], with - in front for the reverse; "" is id. Equal sessions stand in
	// the order of their ids.
	Sort string
	// Limit is how many sessions to list at most; 0 is all.
	Limit int
}

// orders are how sessions can be sorted.
var orders = map[string]func(a, b *sessions.Session) int{
	"id":      func(a, b *sessions.Session) int { return cmp.Compare(a.ID, b.ID) },
	"user":    func(a, b *sessions.Session) int { return cmp.Compare(a.User, b.User) },
	"started": func(a, b *sessions.Session) int { return cmp.Compare(a.Started, b.Started) },
	"idle":    func(a, b *sessions.Session) int { return cmp.Compare(a.LastTraffic, b.LastTraffic) },
	"octets":  func(a, b *sessions.Session) int { return cmp.Compare(octets(b), octets(a)) },
}

func octets(s *sessions.Session) uint64 { return s.Usage.InputOctets + s.Usage.OutputOctets }

// Orders are the values of Query.Sort: id, user (A first), started (oldest first), idle (longest
// first) and octets (of both directions, most first).
func Orders() []string { return slices.Sorted(maps.Keys(orders)) }

// ParseID reads a session id: exactly eight hex digits, as lists show it, or 0x and one to eight.
// Fewer digits alone could be meant as a decimal number, and so are an error.
func ParseID(s string) (sessions.ID, error) {
	digits, prefixed := strings.CutPrefix(strings.ToLower(s), "0x")
	n, err := strconv.ParseUint(digits, 16, 32)
	switch {
	case err != nil || !prefixed && len(digits) != 8 || len(digits) > 8:
		return 0, fmt.Errorf("%w: %q is no session id: want eight hex digits, or 0x and up to eight", ErrQuery, s)
	case n == 0:
		return 0, fmt.Errorf("%w: no session has id 0", ErrQuery)
	}
	return sessions.ID(n), nil
}

// ParseQuery reads the parameters of a URL. Whatever it doesn't know, an empty value and a
// parameter that is given twice are errors: a filter that was misspelt must not mean everybody.
func ParseQuery(values url.Values) (Query, error) {
	var q Query
	for _, key := range slices.Sorted(maps.Keys(values)) {
		list := values[key]
		if len(list) != 1 && key != "id" {
			return Query{}, fmt.Errorf("%w: %s is given %d times", ErrQuery, strconv.Quote(key), len(list))
		}
		for _, value := range list {
			if err := q.set(key, value); err != nil {
				return Query{}, err
			}
		}
	}
	return q, nil
}

// set takes one parameter.
func (q *Query) set(key, value string) error {
	if value == "" {
		return fmt.Errorf("%w: %s is empty", ErrQuery, strconv.Quote(key))
	}
	switch key {
	case "sort":
		if orders[strings.TrimPrefix(value, "-")] == nil {
			return fmt.Errorf("%w: cannot sort by %q: want one of %s", ErrQuery, value, strings.Join(Orders(), ", "))
		}
		q.Sort = value
	case "limit":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return fmt.Errorf("%w: limit %q is no number up to %d", ErrQuery, value, 1<<31-1)
		}
		q.Limit = int(n)
	default:
		return q.Filter.set(key, value)
	}
	return nil
}

func (f *Filter) set(key, value string) (err error) {
	switch key {
	case "id":
		var id sessions.ID
		if id, err = ParseID(value); err == nil && !slices.Contains(f.IDs, id) {
			f.IDs = append(f.IDs, id)
		}
	case "user":
		f.User = value
	case "address":
		if f.Address, err = netip.ParseAddr(value); err != nil || !f.Address.Is4() {
			return fmt.Errorf("%w: address %q is no IPv4 address", ErrQuery, value)
		}
	case "nas":
		f.NAS = value
	case "calling-station":
		f.CallingStation = value
	case "acct-session-id":
		f.AcctSessionID = value
	case "kind":
		f.Kind, err = named(key, value, sessions.Network, sessions.Exec, sessions.Connection)
	case "state":
		f.State, err = named(key, value, sessions.Active, sessions.Terminating)
	default:
		return fmt.Errorf("%w: %q is not known", ErrQuery, key)
	}
	return err
}

// named finds the value that has a name.
func named[T fmt.Stringer](key, name string, all ...T) (T, error) {
	var names []string
	for _, v := range all {
		if v.String() == name {
			return v, nil
		}
		names = append(names, v.String())
	}
	var none T
	return none, fmt.Errorf("%w: %s %q: want one of %s", ErrQuery, key, name, strings.Join(names, ", "))
}

// Values are the parameters from which ParseQuery makes q.
func (q Query) Values() url.Values {
	v := q.Filter.values()
	if q.Sort != "" {
		v.Set("sort", q.Sort)
	}
	if q.Limit != 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

func (f Filter) values() url.Values {
	v := url.Values{}
	for _, id := range f.IDs {
		v.Add("id", id.String())
	}
	for key, value := range map[string]string{
		"user": f.User, "nas": f.NAS, "calling-station": f.CallingStation, "acct-session-id": f.AcctSessionID,
	} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if f.Address.IsValid() {
		v.Set("address", f.Address.String())
	}
	if f.Kind != 0 {
		v.Set("kind", f.Kind.String())
	}
	if f.State != 0 {
		v.Set("state", f.State.String())
	}
	return v
}

// IsZero reports whether f means all sessions.
func (f Filter) IsZero() bool { return len(f.values()) == 0 }

// Match reports whether f means s.
func (f Filter) Match(s *sessions.Session) bool {
	return (len(f.IDs) == 0 || slices.Contains(f.IDs, s.ID)) &&
		(f.User == "" || f.User == s.User) &&
		(!f.Address.IsValid() || s.IPv4 != 0 && f.Address == framedAddress(s)) &&
		(f.NAS == "" || isNAS(f.NAS, s.NAS)) &&
		(f.CallingStation == "" || sameStation(f.CallingStation, s.Attrs.Text(radius.CallingStationID))) &&
		(f.AcctSessionID == "" || f.AcctSessionID == s.AcctSessionID) &&
		(f.Kind == 0 || f.Kind == s.Kind) &&
		(f.State == 0 || f.State == s.State)
}

func isNAS(want string, nas *sessions.NAS) bool {
	if want == nas.Name() || want == nas.String() {
		return true
	}
	addr, err := netip.ParseAddr(want)
	return err == nil && addr.Unmap() == nas.Addr.Unmap()
}

// sameStation compares Calling-Station-Ids: NASes write MAC addresses in many ways (RFC 3580 section 3.21).
func sameStation(a, b string) bool {
	if a == b {
		return true
	}
	macA, errA := net.ParseMAC(a)
	macB, errB := net.ParseMAC(b)
	return errA == nil && errB == nil && bytes.Equal(macA, macB)
}

// find lists the sessions of a view that a filter means, in the order of their ids.
func (f Filter) find(view *sessions.View) []*sessions.Session {
	var list []*sessions.Session
	if len(f.IDs) > 0 {
		ids := slices.Sorted(slices.Values(f.IDs))
		f.IDs = nil
		for _, id := range ids {
			if s := view.Get(id); s != nil && f.Match(s) {
				list = append(list, s)
			}
		}
		return list
	}
	for s := range view.All() {
		if f.Match(s) {
			list = append(list, s)
		}
	}
	return list
}

// order sorts what was found and cuts it to the limit.
func (q Query) order(list []*sessions.Session) []*sessions.Session {
	by, reverse := strings.CutPrefix(q.Sort, "-")
	compare := orders[cmp.Or(by, "id")]
	if by != "" && by != "id" || reverse {
		slices.SortFunc(list, func(a, b *sessions.Session) int {
			c := compare(a, b)
			if reverse {
				c = -c
			}
			return cmp.Or(c, cmp.Compare(a.ID, b.ID))
		})
	}
	if q.Limit > 0 && len(list) > q.Limit {
		list = list[:q.Limit]
	}
	return list
}
