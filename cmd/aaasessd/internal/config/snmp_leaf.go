package config

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"aaasess/agent/snmp/wire"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

// The kinds of text below the key snmp.
type (
	shortName  string // the name of a view, group or community, as long as VACM allows
	viewText   string // the name of a view, or "" for none
	engineID   []byte // the octets of an snmpEngineID; nil: none
	targetText string // host:port
	mibText    string // a DisplayString

	communityVersion wire.SecurityModel // the security model of a version of SNMP that has communities
)

// targetPort is where notifications are received (RFC 3417 section 3.2).
const targetPort = "162"

const shortNameForm = "1 to 32 letters, digits, dots, underscores and hyphens, a letter or digit first"

var shortNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

func parseShortName(text string, _ reflect.StructTag) (any, error) {
	if !shortNamePattern.MatchString(text) {
		return nil, fmt.Errorf("%q is not a valid name: %s", text, shortNameForm)
	}
	return shortName(text), nil
}

func parseView(text string, _ reflect.StructTag) (any, error) {
	if text != "" && !shortNamePattern.MatchString(text) {
		return nil, fmt.Errorf("%q is not the name of a view: %s", text, shortNameForm)
	}
	return viewText(text), nil
}

var oidPattern = regexp.MustCompile(`^\.?[0-9]+(\.[0-9]+)*$`)

// parseOID accepts OIDs that BER can encode (X.690 section 8.19).
func parseOID(text string, _ reflect.StructTag) (any, error) {
	oid, err := mib.ParseOID(text)
	if err != nil || !oidPattern.MatchString(text) {
		return nil, fmt.Errorf("%q is not an OID such as 1.3.6.1.4.1.9.9.150: at most %d numbers, each below 2^32", text, mib.MaxSubIDs)
	}
	if oid[0] > 2 || len(oid) > 1 && (oid[0] < 2 && oid[1] >= 40 || oid[1] >= 1<<32-80) {
		return nil, fmt.Errorf("%q is not an OID: they begin with 0, 1 or 2, and under 0 and 1 with 0 to 39", text)
	}
	return oid, nil
}

const versionPattern = `^v(1|2c)$`

func parseCommunityVersion(text string, _ reflect.StructTag) (any, error) {
	for _, model := range []wire.SecurityModel{wire.ModelV1, wire.ModelV2c} {
		if model.String() == text {
			return communityVersion(model), nil
		}
	}
	return nil, fmt.Errorf("%q is not v1 or v2c", text)
}

// enginePattern is the pattern in the schema. parseEngineID has better errors.
const enginePattern = `^((0x)?([0-9a-fA-F]{2}){5,32})?$`

func parseEngineID(text string, _ reflect.StructTag) (any, error) {
	if text == "" {
		return engineID(nil), nil
	}
	id, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not pairs of hexadecimal digits", text)
	case len(id) < 5 || len(id) > 32:
		return nil, fmt.Errorf("has %d octets, an engine id has 5 to 32", len(id))
	case len(bytes.Trim(id, "\x00")) == 0 || len(bytes.Trim(id, "\xff")) == 0: // RFC 3411 section 5
		return nil, errors.New("an engine id cannot be all 00 or all ff")
	}
	return engineID(id), nil
}

// mibTextPattern matches a DisplayString (RFC 2579) without control characters.
const mibTextPattern = `^[ -~]*$`

func parseMIBText(text string, tag reflect.StructTag) (any, error) {
	wrong := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
	if wrong >= 0 { // also the index in characters: those before it have one octet each
		return nil, fmt.Errorf("character %d is not allowed in a DisplayString, which has only octets 0x20 to 0x7e", wrong+1)
	}
	text, err := strictyaml.Text(text, tag)
	return mibText(text), err
}

func parseTarget(text string, tag reflect.StructTag) (any, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil { // no port
		host, port = text, targetPort
		if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
			host = text[1 : len(text)-1]
		}
	}
	h, err := parseHost(host, tag)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return nil, fmt.Errorf("%q is not an IP address or host name, or host:port", text)
	}
	return targetText(net.JoinHostPort(string(h.(hostText)), port)), nil
}
