package reporting

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"aaasess/cmd/internal/api"
	localreport "aaasess/sessions/local/report"
)

// field is an option that sets a field of a report. Its name is that of the field in JSON, with hyphens.
type field struct {
	name, usage string
	flag        bool // the option needs no value
	set         func(r *localreport.Report, value string) error
}

// commonFields are the fields that every report may have.
var commonFields = []field{
	textField("source", "the program `NAME` that reports, such as openvpn", func(r *localreport.Report) *string { return &r.Source }),
	textField("session", "what the source calls the session: an `ID`, unique among its live sessions", func(r *localreport.Report) *string { return &r.Session }),
	textField("kind", "the `KIND` of the session: network, exec, connection or vrrs (default network)", func(r *localreport.Report) *string { return &r.Kind }),
	{name: "at", usage: "when it happened: a `TIME` as in RFC 3339, or in seconds since 1970 (default: now)", set: setAt},
	octetsField("user", "the `NAME` of the user", func(r *localreport.Report) *string { return &r.User }),
	textField("address", "the IPv4 `ADDRESS` of the user", func(r *localreport.Report) *string { return &r.Address }),
	listField("ipv6-addresses", "IPv6 `ADDRESSES` of the user, separated by commas", func(r *localreport.Report) *[]string { return &r.IPv6Addresses }),
	prefixField("ipv6-prefixes", "IPv6 `PREFIXES` of the user's link, separated by commas; the bits of a host are cleared", func(r *localreport.Report) *[]string { return &r.IPv6Prefixes }),
	prefixField("delegated-prefixes", "IPv6 `PREFIXES` delegated to the user, separated by commas", func(r *localreport.Report) *[]string { return &r.DelegatedPrefixes }),
	octetsField("calling-station", "where the user calls from, Calling-Station-Id: a `STATION`", func(r *localreport.Report) *string { return &r.CallingStation }),
	octetsField("called-station", "what the user has called, Called-Station-Id: a `STATION`", func(r *localreport.Report) *string { return &r.CalledStation }),
	numberField("nas-port", "the NAS-Port `N` of the session", 32, func(r *localreport.Report) **uint32 { return &r.NASPort }),
	octetsField("nas-port-id", "the NAS-Port-Id `TEXT` of the session, such as tty1", func(r *localreport.Report) *string { return &r.NASPortID }),
	textField("interface", "the network interface `NAME` of this host that is the session's own", func(r *localreport.Report) *string { return &r.Interface }),
	textField("port-interface", "the network interface `NAME` of this host that carries the session", func(r *localreport.Report) *string { return &r.PortInterface }),
	textField("service", "the `NAME` of the service that the session is", func(r *localreport.Report) *string { return &r.Service }),
	textField("parent-session", "the `ID` of the session that this one is part of", func(r *localreport.Report) *string { return &r.ParentSession }),
	numberField("session-time", "the session has lasted `SECONDS`", 32, func(r *localreport.Report) **uint32 { return &r.SessionTime }),
	numberField("input-octets", "`N` octets have come from the user", 64, func(r *localreport.Report) **uint64 { return &r.InputOctets }),
	numberField("output-octets", "`N` octets have gone to the user", 64, func(r *localreport.Report) **uint64 { return &r.OutputOctets }),
	numberField("input-packets", "`N` packets have come from the user", 64, func(r *localreport.Report) **uint64 { return &r.InputPackets }),
	numberField("output-packets", "`N` packets have gone to the user", 64, func(r *localreport.Report) **uint64 { return &r.OutputPackets }),
	{name: "attributes", usage: "a further RADIUS attribute, `NAME=VALUE` by its name in the dictionary; the option may be repeated", set: addAttribute},
	{name: "end-pid", usage: "the session ends when the process `PID` gets --end-signal", set: setPID},
	{name: "end-signal", usage: "the `SIGNAL` that ends the session (default TERM)", set: func(r *localreport.Report, v string) error { signalOf(r).Signal = v; return nil }},
	{name: "end-command", usage: "the command `NAME` of local.commands ends the session", set: func(r *localreport.Report, v string) error { endOf(r).Command = v; return nil }},
	{name: "end-event", usage: "the source ends the session when an event tells it to", flag: true, set: func(r *localreport.Report, v string) error { endOf(r).Event = v == "true"; return nil }},
	{name: "end-openvpn", usage: "the server `NAME` of local.openvpn ends the session", set: func(r *localreport.Report, v string) error { endOf(r).OpenVPN = v; return nil }},
}

// The fields of some verbs only.
var (
	terminateCause = textField("terminate-cause", "why it ended: an Acct-Terminate-Cause, its `NAME` or number", func(r *localreport.Report) *string { return &r.TerminateCause })
	stopFields     = []field{terminateCause}
	failFields     = []field{terminateCause, flagField("accepted", "the user had been accepted", func(r *localreport.Report) *bool { return &r.Accepted })}
	callFields     = []field{terminateCause, flagField("stop", "the call is over", func(r *localreport.Report) *bool { return &r.Stop })}
	commandFields  = []field{
		{name: "level", usage: "the privilege level `N` of the command, 0 to 15", set: setLevel},
		textField("text", "the `TEXT` of the command, in place of the argument", func(r *localreport.Report) *string { return &r.Text }),
	}
)

func textField(name, usage string, of func(*localreport.Report) *string) field {
	return field{name: name, usage: usage, set: func(r *localreport.Report, v string) error { *of(r) = v; return nil }}
}

// maxOctets is the maximum length of a text in an attribute (RFC 2865 section 5).
const maxOctets = 253

// octetsField is a textField that becomes an attribute. It is cut: a user cannot escape accounting by a
// name that no record can have.
func octetsField(name, usage string, of func(*localreport.Report) *string) field {
	return field{name: name, usage: usage, set: func(r *localreport.Report, v string) error {
		n := min(len(v), maxOctets)
		for n < len(v) && !utf8.RuneStart(v[n]) {
			n--
		}
		*of(r) = v[:n]
		return nil
	}}
}

func flagField(name, usage string, of func(*localreport.Report) *bool) field {
	return field{name: name, usage: usage, flag: true, set: func(r *localreport.Report, v string) error { *of(r) = v == "true"; return nil }}
}

func listField(name, usage string, of func(*localreport.Report) *[]string) field {
	return field{name: name, usage: usage, set: func(r *localreport.Report, v string) error {
		*of(r) = strings.FieldsFunc(v, func(c rune) bool { return c == ',' || c == ' ' })
		return nil
	}}
}

// prefixField clears the bits of hosts: accel-ppp tells a prefix with the address of a host.
func prefixField(name, usage string, of func(*localreport.Report) *[]string) field {
	list := listField(name, usage, of)
	return field{name: name, usage: usage, set: func(r *localreport.Report, v string) error {
		err := list.set(r, v)
		for i, text := range *of(r) {
			if prefix, invalid := netip.ParsePrefix(text); invalid == nil { // else the daemon says so
				(*of(r))[i] = prefix.Masked().String()
			}
		}
		return err
	}}
}

func numberField[N uint32 | uint64](name, usage string, bits int, of func(*localreport.Report) **N) field {
	return field{name: name, usage: usage, set: func(r *localreport.Report, v string) error {
		n, err := strconv.ParseUint(v, 10, bits)
		if err != nil {
			return fmt.Errorf("want a number of at most %d bits", bits)
		}
		value := N(n)
		*of(r) = &value
		return nil
	}}
}

func setAt(r *localreport.Report, v string) error {
	at, err := time.Parse(time.RFC3339, v)
	if seconds, notNumber := strconv.ParseInt(v, 10, 64); notNumber == nil {
		at, err = time.Unix(seconds, 0).UTC(), nil
	}
	if err != nil {
		return fmt.Errorf("want a time such as 2026-11-30T17:00:00Z, or seconds since 1970")
	}
	r.At = &at
	return nil
}

func addAttribute(r *localreport.Report, v string) error {
	name, value, found := strings.Cut(v, "=")
	if !found || name == "" {
		return fmt.Errorf("want NAME=VALUE")
	}
	if value != "" {
		r.Attributes = append(r.Attributes, localreport.Attribute{Name: name, Value: value})
	}
	return nil
}

func setLevel(r *localreport.Report, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > api.MaxPrivilegeLevel {
		return fmt.Errorf("want 0 to %d", api.MaxPrivilegeLevel)
	}
	r.Level = n
	return nil
}

func endOf(r *localreport.Report) *localreport.End {
	if r.End == nil {
		r.End = &localreport.End{}
	}
	return r.End
}

func signalOf(r *localreport.Report) *localreport.Signal {
	if endOf(r).Signal == nil {
		r.End.Signal = &localreport.Signal{}
	}
	return r.End.Signal
}

func setPID(r *localreport.Report, v string) error {
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n <= 1 {
		return fmt.Errorf("want the ID of a process")
	}
	signalOf(r).PID = int(n)
	return nil
}

// fields are the fields that the options of a command line give, in their order.
type fields struct {
	given []func(*localreport.Report) error
}

// add adds options to a command.
func (f *fields) add(flags *pflag.FlagSet, list []field) {
	for i := range list {
		flag := flags.VarPF(&fieldValue{field: &list[i], to: f}, list[i].name, "", list[i].usage)
		if list[i].flag {
			flag.NoOptDefVal = "true"
		}
	}
}

// apply sets the given fields of a report.
func (f *fields) apply(r *localreport.Report) error {
	for _, set := range f.given {
		if err := set(r); err != nil {
			return err
		}
	}
	return nil
}

// fieldValue is the value of an option. An empty one is the same as none.
type fieldValue struct {
	field *field
	to    *fields
	last  string
}

// Set implements pflag.Value.
func (v *fieldValue) Set(text string) error {
	if v.last = text; text == "" {
		return nil
	}
	if v.field.flag && text != "true" && text != "false" {
		return fmt.Errorf("want true or false")
	}
	text = api.ValidText(text) // a user cannot escape accounting by a name that is not UTF-8
	if err := v.field.set(&localreport.Report{}, text); err != nil {
		return err
	}
	v.to.given = append(v.to.given, func(r *localreport.Report) error { return v.field.set(r, text) })
	return nil
}

// String implements pflag.Value.
func (v *fieldValue) String() string { return v.last }

// Type implements pflag.Value.
func (v *fieldValue) Type() string {
	if v.field != nil && v.field.flag {
		return "bool"
	}
	return "string"
}
