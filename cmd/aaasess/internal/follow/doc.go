// Package follow has the command debug: accountable events and lines of the log as they occur. The daemon
// sends them; this package prints them and changes nothing.
package follow
