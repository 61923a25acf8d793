package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

// The kinds of text that this file has in addition to those of strictyaml.
type (
	nameText          string // the name of a client, server, list or acct-on-off-group
	groupText         string // the name of a server group
	hostText          string // IP address or host name
	attributeText     string // "NAME" or "NAME = VALUE" of a RADIUS attribute
	attributeNameText string // NAME of "attribute NAME"
	portText          string // a NAS-Port, or a range of them
	periodText        string // a duration, or disable
	accountText       string // a user or group of this host, by name or number
)

// engine decodes the file. Other types of the packages decode themselves: they implement
// encoding.TextUnmarshaler.
var engine = strictyaml.New(map[reflect.Type]strictyaml.Scalar{
	reflect.TypeFor[nameText]():              {Wants: "a name", Parse: parseName, Pattern: namePattern.String()},
	reflect.TypeFor[groupText]():             {Wants: "a name", Parse: parseGroup, Pattern: namePattern.String()},
	reflect.TypeFor[hostText]():              {Wants: "an IP address or host name", Parse: parseHost, Pattern: "."},
	reflect.TypeFor[attributeText]():         {Wants: "the name of a RADIUS attribute, or NAME = VALUE", Parse: parseAttribute, Pattern: `^[^ =]+( *=.*)?$`},
	reflect.TypeFor[attributeNameText]():     {Wants: "attribute NAME", Parse: parseAttributeName, Pattern: `^(attribute [^ ]+)?$`},
	reflect.TypeFor[argumentText]():          {Wants: "the name of an argument", Parse: parseArgument, Pattern: argumentPattern.String()},
	reflect.TypeFor[portText]():              {Wants: "a port such as 7, or a range such as 1-16", Parse: parsePorts, Pattern: `^[0-9]{1,10}(-[0-9]{1,10})?$`, Integer: true},
	reflect.TypeFor[periodText]():            {Wants: "a duration such as 10m, or disable", Parse: parsePeriod, Pattern: `^(disable|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)?$`},
	reflect.TypeFor[accountText]():           {Wants: "the name or number of a user or group", Parse: parseAccount, Pattern: `^[^\s:]*$`, Integer: true},
	reflect.TypeFor[accounting.MethodName](): {Wants: "local or group NAME", Parse: parseMethod, Pattern: `^(local|group [^ ]+)$`},
	reflect.TypeFor[mib.OID]():               {Wants: "an OID in quotes, such as \"1.3.6.1\"", Parse: parseOID, Pattern: oidPattern.String()},
	reflect.TypeFor[shortName]():             {Wants: "a name", Parse: parseShortName, Pattern: shortNamePattern.String()},
	reflect.TypeFor[viewText]():              {Wants: "the name of a view", Parse: parseView, Pattern: `^([A-Za-z0-9][A-Za-z0-9._-]{0,31})?$`},
	reflect.TypeFor[engineID]():              {Wants: "hexadecimal digits in quotes", Parse: parseEngineID, Pattern: enginePattern},
	reflect.TypeFor[targetText]():            {Wants: "an IP address or host name, or host:port", Parse: parseTarget, Pattern: "."},
	reflect.TypeFor[communityVersion]():      {Wants: "v1 or v2c", Parse: parseCommunityVersion, Pattern: versionPattern},
	reflect.TypeFor[mibText]():               {Wants: "text", Parse: parseMIBText, Pattern: mibTextPattern},
})

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func parseName(text string, _ reflect.StructTag) (any, error) {
	if !namePattern.MatchString(text) {
		return nil, fmt.Errorf("%q is not a name: 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first", text)
	}
	return nameText(text), nil
}

// parseGroup accepts tacacs+ too, for which there is a better error than that it is no name.
func parseGroup(text string, tag reflect.StructTag) (any, error) {
	if text == AllTACACS {
		return groupText(text), nil
	}
	name, err := parseName(text, tag)
	if err != nil {
		return nil, err
	}
	return groupText(name.(nameText)), nil
}

// hostPattern matches a host name (RFC 1123 section 2.1). Its last label must not be all digits:
// that would be a mistyped address.
var hostPattern = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)

func parseHost(text string, _ reflect.StructTag) (any, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return hostText(addr.Unmap().String()), nil
	}
	if len(text) > 253 || !hostPattern.MatchString(text) {
		return nil, fmt.Errorf("%q is neither an IP address nor a host name (the port has a key of its own)", text)
	}
	return hostText(strings.ToLower(text)), nil
}

// parseAttribute does not check the text: checker.attributes does, because it has the dictionary.
func parseAttribute(text string, _ reflect.StructTag) (any, error) { return attributeText(text), nil }

// parseAttributeName does not check the name: checker.textAttribute does, because it has the dictionary.
func parseAttributeName(text string, _ reflect.StructTag) (any, error) {
	name, ok := strings.CutPrefix(text, "attribute ")
	if text != "" && (!ok || name == "" || strings.Contains(name, " ")) {
		return nil, fmt.Errorf("%q is not \"attribute NAME\"", text)
	}
	return attributeNameText(name), nil
}

func parseMethod(text string, _ reflect.StructTag) (any, error) {
	method := accounting.MethodName(text)
	switch {
	case method == accounting.Local:
	case method.Group() == AllTACACS:
	case !namePattern.MatchString(method.Group()):
		return nil, fmt.Errorf("%q is neither \"local\" nor \"group NAME\"", text)
	}
	return method, nil
}

// parseAccount does not look the account up: checker.owner does.
func parseAccount(text string, _ reflect.StructTag) (any, error) {
	if strings.ContainsAny(text, ": \t\n") {
		return nil, fmt.Errorf("%q is neither a name nor a number", text)
	}
	return accountText(text), nil
}

// parsePorts only checks the text: ports reads it.
func parsePorts(text string, _ reflect.StructTag) (any, error) {
	if _, err := ports(text); err != nil {
		return nil, err
	}
	return portText(text), nil
}

// ports reads a NAS-Port, or a range of them.
func ports(text string) (policy.PortRange, error) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	a, err := strconv.ParseUint(first, 10, 32)
	b, err2 := strconv.ParseUint(last, 10, 32)
	switch {
	case err != nil || err2 != nil:
		return policy.PortRange{}, fmt.Errorf("%q is neither a port such as 7 nor a range such as 1-16, of numbers up to 4294967295", text)
	case a > b:
		return policy.PortRange{}, fmt.Errorf("%q: the first port is after the last", text)
	}
	return policy.PortRange{First: uint32(a), Last: uint32(b)}, nil
}

// parsePeriod only checks the text: period reads it.
func parsePeriod(text string, _ reflect.StructTag) (any, error) {
	if _, err := period(text); err != nil {
		return nil, err
	}
	return periodText(text), nil
}

// period reads how often interims are made: 0 for "", and policy.NoInterims for "disable".
func period(text string) (time.Duration, error) {
	switch text {
	case "":
		return 0, nil
	case "disable":
		return policy.NoInterims, nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is neither a duration such as 10m nor disable", text)
	case d < time.Second || d > policy.MaxPeriod:
		return 0, fmt.Errorf("%s is not between 1s and 1193h2m", text)
	}
	return d, nil
}
