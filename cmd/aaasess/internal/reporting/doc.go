// Package reporting has the commands that act as a source of sessions: session reports those of this host
// to the local socket, and simulate plays a NAS.
package reporting
