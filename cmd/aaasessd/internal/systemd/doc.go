// Package systemd tells systemd about the state of the daemon, with the protocol of sd_notify(3):
// datagrams of lines KEY=VALUE to the socket that NOTIFY_SOCKET names (R72).
//
// go-systemd's daemon package has the same function, but opens a socket for each message. When file
// descriptors are short, which the daemon survives, that fails: the watchdog's message would be
// missing, and systemd would kill the daemon. It also waits without limit for a manager that does
// not read. A [Notifier] opens its socket once, and waits at most a second.
//
// # Concurrency
//
// All methods of a Notifier and of a Watchdog may be called from any goroutine.
package systemd
