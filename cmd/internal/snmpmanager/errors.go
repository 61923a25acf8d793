package snmpmanager

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/gosnmp/gosnmp"
)

var (
	// ErrNoAnswer is returned when an agent does not answer in time. Agents do not answer a wrong
	// community either.
	ErrNoAnswer = errors.New("no answer")
	// ErrRefused is returned when an agent does not accept the user, its passwords or its protocols
	// (reports of RFC 3414 section 3.2).
	ErrRefused = errors.New("refused")
	// ErrInvalid is returned when a reply breaks a rule of the protocol or of the MIB.
	ErrInvalid = errors.New("invalid reply")
	// ErrNoTable is returned when an agent has no CISCO-AAA-SESSION-MIB, or does not show it to the
	// community or user.
	ErrNoTable = errors.New("no CISCO-AAA-SESSION-MIB: the agent does not have it, or does not show it to this community or user")
)

// StatusError is an error-status of a reply (RFC 3416 section 3).
type StatusError struct{ Status gosnmp.SNMPError }

// Error returns the name of RFC 3416.
func (e *StatusError) Error() string {
	name := e.Status.String()
	if strings.Contains(name, "(") || name == "" { // gosnmp knows no name
		return fmt.Sprintf("error-status %d", uint8(e.Status))
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// reports are the objects of the reports of an agent, the errors of gosnmp for them, and what they mean.
var reports = []struct {
	object string
	err    error
	text   string
}{
	{".1.3.6.1.6.3.15.1.1.1.0", gosnmp.ErrUnknownSecurityLevel, "the user may not use this security level (usmStatsUnsupportedSecLevels)"},
	{".1.3.6.1.6.3.15.1.1.2.0", gosnmp.ErrNotInTimeWindow, "the clocks of the engines do not agree (usmStatsNotInTimeWindows)"},
	{".1.3.6.1.6.3.15.1.1.3.0", gosnmp.ErrUnknownUsername, "the agent has no such user (usmStatsUnknownUserNames)"},
	{".1.3.6.1.6.3.15.1.1.4.0", gosnmp.ErrUnknownEngineID, "the agent changes its engine ID (usmStatsUnknownEngineIDs)"},
	{".1.3.6.1.6.3.15.1.1.5.0", gosnmp.ErrWrongDigest, "wrong authentication password or protocol (usmStatsWrongDigests)"},
	{".1.3.6.1.6.3.15.1.1.6.0", gosnmp.ErrDecryption, "wrong privacy password or protocol (usmStatsDecryptionErrors)"},
	{".1.3.6.1.6.3.11.2.1.1.0", gosnmp.ErrUnknownSecurityModels, "the agent has no User-based Security Model (snmpUnknownSecurityModels)"},
	{".1.3.6.1.6.3.11.2.1.2.0", gosnmp.ErrInvalidMsgs, "the agent finds the message invalid (snmpInvalidMsgs)"},
	{".1.3.6.1.6.3.11.2.1.3.0", gosnmp.ErrUnknownPDUHandlers, "the agent does not handle the request (snmpUnknownPDUHandlers)"},
}

// explain returns the error of a request in the words of this package.
func (a *Agent) explain(err error) error {
	if cause := context.Cause(a.ctx); cause != nil {
		return cause
	}
	text := err.Error()
	report := ""
	if strings.Contains(text, "not authentic") {
		report = a.conn.report()
	}
	for _, r := range reports {
		if errors.Is(err, r.err) || report == r.object {
			return fmt.Errorf("%w: %s", ErrRefused, r.text)
		}
	}
	op := (*net.OpError)(nil)
	switch {
	case errors.Is(err, gosnmp.ErrMaxRetriesExceeded), errors.Is(err, os.ErrDeadlineExceeded), strings.Contains(text, "timeout"):
		return ErrNoAnswer
	case strings.HasPrefix(text, "recover:"): // gosnmp's text has the stack
		return fmt.Errorf("%w: it cannot be decoded", ErrInvalid)
	case errors.As(err, &op):
		return fmt.Errorf("%w: %w", ErrNoAnswer, op) // such as "connection refused"
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}
