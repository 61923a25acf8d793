// Package tacacsload sends TACACS+ accounting records (RFC 8907) with the contenders of a
// measurement, and has the server that acknowledges them and stores nothing. The records are the
// starts of sessions that have a number in their user, as in package nasload.
package tacacsload

import (
	"aaasess/bench/nasload"
	"aaasess/internal/tacacs"
)

// Key is the key of all clients and servers in the measurements.
const Key tacacs.Key = nasload.SharedSecret
