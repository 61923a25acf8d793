package policy

import "errors"

// Errors of [New].
var (
	// ErrPolicy is returned when a policy cannot be used.
	ErrPolicy = errors.New("accounting: bad policy")
	// ErrCommandsToRADIUS is returned, with ErrPolicy, when a list of commands names a group of
	// RADIUS servers: S1 "The Cisco implementation of RADIUS does not support command accounting".
	ErrCommandsToRADIUS = errors.New("RADIUS has no command accounting; the methods for commands are groups of TACACS+ servers and local")
)
