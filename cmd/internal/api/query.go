package api

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrQuery is returned when a query or a filter is invalid.
var ErrQuery = errors.New("invalid query")

// Filter selects the sessions that match all the fields that are set. The zero Filter matches every
// session. The comment of each field starts with its name in a URL and in the "filter" of a
// [DisconnectRequest].
type Filter struct {
	IDs  []ID   // id, may be repeated: one of these; see ParseID
	User string // user: exactly this User-Name
	// Address: address: Framed-IP-Address, Framed-IPv6-Address, Framed-IPv6-Prefix or
	// Delegated-IPv6-Prefix. An address matches also the prefixes that contain it. A prefix
	// matches all addresses and prefixes that it overlaps.
	Address        netip.Prefix
	Line           string // line: this NAS-Port-Id, or this NAS-Port in decimal
	NAS            string // nas: the client's name, or source address, name or name@address of the NAS
	CallingStation string // calling-station: this Calling-Station-Id; a MAC address in any notation
	AcctSessionID  string // acct-session-id: Acct-Session-Id at the NAS
	Kind           string // kind: one of Kinds
	State          string // state: one of States
}

// Query is a Filter with an order and a part of the list.
type Query struct {
	Filter
	// Search, "search" in a URL, selects the sessions that have this text anywhere, in upper or lower
	// case, in one of these: user, address or prefix, NAS (the client's name, what the NAS calls itself,
	// its address), Calling-Station-Id (a MAC address in any notation), Acct-Session-Id at the NAS or
	// towards the AAA servers, line, ID. Letters that are not ASCII have a case only if the text has one
	// of these. "" means all.
	Search string
	// Sort is one of [Orders]; a leading - reverses the order. "" means id. Equal sessions are in
	// the order of their ids.
	Sort string
	// Offset is the number of sessions to leave out at the start of the list.
	Offset int
	// Limit is the largest number of sessions to list; 0 means all.
	Limit int
}

// Orders returns the values of Query.Sort: address (IPv4 before IPv6, none last), id, idle (longest
// first), input and output (octets, most first), nas (as shown, A first), octets (both directions, most
// first), started (oldest first) and user (A first).
func Orders() []string {
	return []string{"address", "id", "idle", "input", "nas", "octets", "output", "started", "user"}
}

// Kinds returns the values of Filter.Kind, and of Session.Kind of a row. A call, which is no row, has
// the Kind "resource"; see [EventKinds].
func Kinds() []string { return []string{"network", "exec", "connection"} }

// States returns the values of Filter.State. stuck selects those of the terminating sessions whose
// Termination.Stuck is set.
func States() []string { return []string{"active", "terminating", "stuck"} }

// ParseQuery parses the parameters of a URL. An unknown parameter, an empty value and a repeated
// parameter are errors: a misspelt filter must not match every session.
func ParseQuery(values url.Values) (Query, error) {
	var q Query
	if err := setAll(values, q.set); err != nil {
		return Query{}, err
	}
	return q, nil
}

// setAll calls set with each parameter of a URL. Only id may be repeated.
func setAll(values url.Values, set func(key, value string) error) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		list := values[key]
		if len(list) != 1 && key != "id" {
			return fmt.Errorf("%w: %s is given %d times", ErrQuery, strconv.Quote(key), len(list))
		}
		for _, value := range list {
			if err := set(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// set sets the field of one parameter.
func (q *Query) set(key, value string) error {
	switch {
	case key == "sort" && value != "":
		if !slices.Contains(Orders(), strings.TrimPrefix(value, "-")) {
			return fmt.Errorf("%w: cannot sort by %q: want one of %s", ErrQuery, value, strings.Join(Orders(), ", "))
		}
		q.Sort = value
	case key == "search" && value != "":
		q.Search = value
	case key == "offset" && value != "":
		return setNumber(&q.Offset, key, value)
	case key == "limit" && value != "":
		return setNumber(&q.Limit, key, value)
	default:
		return q.Filter.Set(key, value)
	}
	return nil
}

// setNumber sets a field to a number in decimal.
func setNumber(field *int, key, value string) error {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return fmt.Errorf("%w: %s %q is not a number up to %d", ErrQuery, key, value, 1<<31-1)
	}
	*field = int(n)
	return nil
}

// Set sets the field of one parameter; id adds an ID. An empty value and an unknown parameter are
// errors.
func (f *Filter) Set(key, value string) (err error) {
	if value == "" {
		return fmt.Errorf("%w: %s is empty", ErrQuery, strconv.Quote(key))
	}
	switch key {
	case "id":
		var id ID
		if id, err = ParseID(value); err == nil && !slices.Contains(f.IDs, id) {
			f.IDs = append(f.IDs, id)
		}
	case "user":
		f.User = value
	case "address":
		if f.Address, err = parseAddress(value); err != nil {
			return fmt.Errorf("%w: address %q: want an IPv4 or IPv6 address or prefix", ErrQuery, value)
		}
	case "line":
		f.Line = value
	case "nas":
		f.NAS = value
	case "calling-station":
		f.CallingStation = value
	case "acct-session-id":
		f.AcctSessionID = value
	case "kind":
		f.Kind, err = oneOf(Kinds(), key, value)
	case "state":
		f.State, err = oneOf(States(), key, value)
	default:
		return fmt.Errorf("%w: unknown parameter %q", ErrQuery, key)
	}
	return err
}

// parseAddress reads an address or a prefix. Host bits of a prefix are ignored. An IPv4-mapped
// address is an IPv4 address.
func parseAddress(s string) (netip.Prefix, error) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		p, err := netip.ParsePrefix(s)
		if err == nil && p.Addr().Is4In6() {
			err = errors.New("IPv4-mapped prefix")
		}
		return p.Masked(), err
	}
	if addr.Zone() != "" {
		return netip.Prefix{}, errors.New("the address has a zone")
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

// oneOf returns value if all has it.
func oneOf(all []string, key, value string) (string, error) {
	if !slices.Contains(all, value) {
		return "", fmt.Errorf("%w: %s %q: want one of %s", ErrQuery, key, value, strings.Join(all, ", "))
	}
	return value, nil
}

// Values returns the parameters of a URL that ParseQuery parses to q.
func (q Query) Values() url.Values {
	v := q.Filter.values()
	if q.Search != "" {
		v.Set("search", q.Search)
	}
	if q.Sort != "" {
		v.Set("sort", q.Sort)
	}
	if q.Offset != 0 {
		v.Set("offset", strconv.Itoa(q.Offset))
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
		"user": f.User, "line": f.Line, "nas": f.NAS, "calling-station": f.CallingStation, "acct-session-id": f.AcctSessionID,
		"kind": f.Kind, "state": f.State,
	} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if f.Address.IsValid() {
		text := f.Address.String()
		if f.Address.IsSingleIP() {
			text = f.Address.Addr().String()
		}
		v.Set("address", text)
	}
	return v
}

// IsZero reports whether q selects every session, regardless of the limit.
func (q Query) IsZero() bool { return q.Search == "" && q.Filter.IsZero() }

// IsZero reports whether f matches every session.
func (f Filter) IsZero() bool { return len(f.values()) == 0 }
