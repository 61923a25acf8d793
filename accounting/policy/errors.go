package policy

import "errors"

// Errors of [New].
var (
	// ErrPolicy is returned when a policy cannot be used.
	ErrPolicy = errors.New("accounting: bad policy")
	// ErrCommandsToRADIUS is returned, with ErrPolicy, when a list of commands names a server group:
	// S1 "The Cisco implementation of RADIUS does not support command accounting".
	ErrCommandsToRADIUS = errors.New("RADIUS has no command accounting; until there are TACACS+ groups, local is the only method for commands")
)
