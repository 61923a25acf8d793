package policy

import "errors"

// ErrPolicy is returned when a policy cannot be used.
var ErrPolicy = errors.New("accounting: bad policy")
