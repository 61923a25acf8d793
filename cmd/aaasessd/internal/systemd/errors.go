package systemd

import "errors"

// ErrNoReturn is reported when the probe of a [Watchdog] has not returned until the next one was
// due.
var ErrNoReturn = errors.New("systemd: the watchdog's probe has not returned")
